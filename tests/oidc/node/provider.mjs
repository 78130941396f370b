// A certified OpenID provider (npm oidc-provider) on loopback, and beside it a small FHIR endpoint
// that takes the provider's tokens. It is an authorization server that shares no code and no author
// with the connector: mandatory PKCE, rotating refresh tokens whose replay ends the grant, access
// tokens of a few seconds, RFC 7009 revocation, a memory of every jti.
//
// Argument: JSON {"clients": [...], "accessTokenSeconds": 3}. When it listens it prints one line of
// JSON, {"origin": "http://127.0.0.1:PORT"}, and it ends when its standard input does.

import http from "node:http";

import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

const settings = JSON.parse(process.argv[2]);
const PATIENT = { resourceType: "Patient", id: "p1", name: [{ family: "Loopback" }] };
const RESOURCE_SCOPES = ["user/Patient.read", "system/Patient.rs"];
const counts = { refreshes: 0, grants_revoked: 0, token_errors: 0 };

async function signingKeys() {
  const made = ["RS256", "ES384"].map(async (alg) => {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: `provider-${alg}` };
  });
  return { keys: await Promise.all(made) };
}

function configuration(jwks) {
  const lifetime = () => settings.accessTokenSeconds;
  return {
    clients: settings.clients,
    jwks,
    cookies: { keys: ["signs the cookies of this process only"] },
    scopes: ["openid", "offline_access", "fhirUser", ...RESOURCE_SCOPES],
    claims: { openid: ["sub"], fhirUser: ["fhirUser"] },
    conformIdTokenClaims: false,
    findAccount: (ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, fhirUser: `http://127.0.0.1/fhir/Practitioner/${id}` }),
    }),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    // The standard asks for prompt=consent before offline_access; SMART does not.
    issueRefreshToken: (ctx, client) => client.grantTypeAllowed("refresh_token"),
    ttl: {
      AccessToken: lifetime,
      ClientCredentials: lifetime,
      Grant: 3600,
      IdToken: 300,
      Interaction: 600,
      RefreshToken: 3600,
      Session: 3600,
    },
    features: {
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true },
    },
    enabledJWA: {
      clientAuthSigningAlgValues: ["RS384", "ES384"],
      idTokenSigningAlgValues: ["RS256", "ES384"],
    },
  };
}

function send(response, status, body, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/fhir+json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

function smartConfiguration(origin) {
  return {
    issuer: origin,
    jwks_uri: `${origin}/jwks`,
    authorization_endpoint: `${origin}/auth`,
    token_endpoint: `${origin}/token`,
    revocation_endpoint: `${origin}/token/revocation`,
    introspection_endpoint: `${origin}/token/introspection`,
    capabilities: ["launch-standalone", "client-confidential-asymmetric", "permission-v2"],
    code_challenge_methods_supported: ["S256"],
  };
}

async function fhir(provider, origin, request, response) {
  const { pathname } = new URL(request.url, origin);
  if (pathname === "/fhir/.well-known/smart-configuration") {
    return send(response, 200, smartConfiguration(origin));
  }
  const value = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  const token =
    (await provider.AccessToken.find(value)) ?? (await provider.ClientCredentials.find(value));
  // Text on purpose: real servers answer a 401 so.
  if (!token?.isValid) return send(response, 401, "Unauthorized", { "Content-Type": "text/plain" });
  if (!RESOURCE_SCOPES.some((scope) => token.scopes.has(scope))) return send(response, 403, "{}");
  if (pathname === "/fhir/Patient/p1") return send(response, 200, PATIENT);
  if (pathname !== "/fhir/Patient") return send(response, 404, "{}");
  return send(response, 200, {
    resourceType: "Bundle",
    type: "searchset",
    total: 1,
    link: [{ relation: "self", url: `${origin}${request.url}` }],
    entry: [{ resource: PATIENT }],
  });
}

const server = http.createServer();
server.listen(0, "127.0.0.1", async () => {
  const origin = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(origin, configuration(await signingKeys()));
  provider.on("grant.success", (ctx) => {
    if (ctx.oidc.params.grant_type === "refresh_token") counts.refreshes += 1;
  });
  provider.on("grant.revoked", () => (counts.grants_revoked += 1));
  provider.on("grant.error", () => (counts.token_errors += 1));
  const authorization = provider.callback();
  server.on("request", (request, response) => {
    if (request.url === "/counts") return send(response, 200, counts);
    if (request.url.startsWith("/fhir")) return fhir(provider, origin, request, response);
    return authorization(request, response);
  });
  process.stdout.write(`\n${JSON.stringify({ origin })}\n`);
});
process.stdin.on("end", () => process.exit(0)).resume();
