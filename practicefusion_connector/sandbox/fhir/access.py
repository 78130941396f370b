"""What the bearer of an access token may see: types by scope, records by patient compartment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from werkzeug.wrappers import Request, Response

from practicefusion_connector.sandbox.answers import operation_outcome, unauthorized
from practicefusion_connector.sandbox.oauth.models import Token
from practicefusion_connector.sandbox.oauth.scopes import ResourceScope, resource_scopes
from practicefusion_connector.sandbox.oauth.tokens import TokenStore
from practicefusion_connector.sandbox.store import Resource, ResourceStore


@dataclass
class Access:
    """The rights of one request."""

    token: Token
    store: ResourceStore

    @cached_property
    def _granted(self) -> list[ResourceScope]:
        return resource_scopes(self.token.scope.split())

    def may_read(self, resource_type: str) -> bool:
        """Whether a scope allows to get resources of the type."""
        return any(scope.read for scope in self._granted if scope.type == resource_type)

    def may_search(self, resource_type: str) -> bool:
        """Whether a scope allows to search the type."""
        return any(scope.search for scope in self._granted if scope.type == resource_type)

    def visible(self, resource_type: str, resources: list[Resource]) -> list[Resource]:
        """Those of the resources, all of one type, that lie within the grant.

        `system/` and a provider's `user/` scopes reach every record; a patient's, and `patient/`
        scopes, reach one patient's compartment and the records that are about nobody.
        """
        contexts = {scope.context for scope in self._granted if scope.type == resource_type}
        user = self.token.grant.user
        if "system" in contexts or ("user" in contexts and user and user.patient is None):
            return resources
        own = {self.token.grant.context.patient, user.patient if user else None} - {None}
        return [
            resource
            for resource in resources
            if own & self.store.patients_of(resource) or self.store.is_shared(resource)
        ]


def access_of(request: Request, tokens: TokenStore, store: ResourceStore) -> Access | Response:
    """The rights the request's bearer token gives, or the 401 that says it gives none."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not value:
        return unauthorized("An access token is required.")
    token = tokens.find_access(value.strip())
    if token is None or not token.is_active():
        return unauthorized("The access token is unknown, expired or no longer valid.")
    return Access(token, store)


def forbidden_type(resource_type: str) -> Response:
    """403 for a type no scope of the grant names."""
    return operation_outcome(
        403, "forbidden", f"The granted scopes do not allow this request on {resource_type}."
    )


def forbidden_record() -> Response:
    """403 for a record outside the patient's compartment."""
    return operation_outcome(403, "forbidden", "This record is outside the granted patient's.")
