"""The documents that say what the server can do: CapabilityStatement and smart-configuration."""

from __future__ import annotations

from typing import Any, Final

from practicefusion_connector.sandbox.search.parameters import (
    SearchParameter,
    parameters_of,
    searchable_types,
    server_wide_parameters,
)
from practicefusion_connector.sandbox.settings import PRACTICE_NAME, TODAY, Behaviour

_OAUTH_URIS: Final = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SECURITY_SERVICE: Final = "http://terminology.hl7.org/CodeSystem/restful-security-service"

SMART_CAPABILITIES: Final = (
    *("launch-ehr", "launch-standalone", "client-public", "client-confidential-symmetric"),
    *("sso-openid-connect", "context-banner", "context-style", "context-ehr-patient"),
    *("context-ehr-encounter", "context-standalone-patient", "context-standalone-encounter"),
    *("permission-offline", "permission-patient", "permission-user"),
    *("client-confidential-asymmetric", "authorize-post", "permission-v1", "permission-v2"),
)


def smart_configuration(base_url: str, behaviour: Behaviour) -> dict[str, Any]:
    """SMART App Launch 2.0 discovery, with the members Practice Fusion's has and no others."""
    configuration: dict[str, Any] = {
        "issuer": base_url,
        "jwks_uri": f"{base_url}/.well-known/jwk",
        "authorization_endpoint": f"{base_url}/authorize",
        "token_endpoint": f"{base_url}/token",
        "introspection_endpoint": f"{base_url}/introspect",
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": list(SMART_CAPABILITIES),
    }
    if behaviour.advertise_revocation:
        configuration["revocation_endpoint"] = f"{base_url}/revoke"
    if behaviour.authorize_sends_issuer:
        configuration["authorization_response_iss_parameter_supported"] = True
    return configuration


def capability_statement(base_url: str) -> dict[str, Any]:
    """FHIR R4 CapabilityStatement: read and search of each type, by declared parameters only."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": TODAY.date().isoformat(),
        "publisher": "practicefusion-connector",
        "kind": "instance",
        "instantiates": [
            "http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server",
        ],
        "software": {"name": "Practice Fusion sandbox"},
        "implementation": {"description": PRACTICE_NAME, "url": base_url},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "security": _security(base_url),
                "resource": [_resource(resource_type) for resource_type in searchable_types()],
                "searchParam": _declared(server_wide_parameters().values()),
            }
        ],
    }


def _security(base_url: str) -> dict[str, Any]:
    endpoints = ("authorize", "token", "introspect")
    return {
        "extension": [
            {
                "url": _OAUTH_URIS,
                "extension": [
                    {"url": name, "valueUri": f"{base_url}/{name}"} for name in endpoints
                ],
            }
        ],
        "service": [{"coding": [{"system": _SECURITY_SERVICE, "code": "SMART-on-FHIR"}]}],
    }


def _resource(resource_type: str) -> dict[str, Any]:
    server_wide = server_wide_parameters()
    own = [p for name, p in parameters_of(resource_type).items() if name not in server_wide]
    return {
        "type": resource_type,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": _declared([server_wide["_id"], *own]),
    }


def _declared(parameters: Any) -> list[dict[str, str]]:
    declared: list[SearchParameter] = [p for p in parameters if p.declared]
    return [{"name": parameter.name, "type": parameter.type} for parameter in declared]
