"""Help for tests of integrations: pytest fixtures that start the sandbox, and its person.

    def test_my_integration(practicefusion_sandbox):
        connect(practicefusion_sandbox.fhir_base_url)

Knows the sandbox from outside only.
"""
