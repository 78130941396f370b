// Resolves a declarative n8n node's parameters with n8n's own helpers.
//   node n8n.mjs node.json cases.json
// Each case: the parameters a person has set. Prints [{ parameters, issues, urls }] as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// Its ES modules import without file endings, which Node refuses.
const { NodeHelpers } = createRequire(import.meta.url)("n8n-workflow");

const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const [{ node: description, credential }, cases] = process.argv.slice(2).map(read);

function resolve(parameters) {
  const node = {
    id: "1",
    name: description.defaults.name,
    type: description.name,
    typeVersion: description.version,
    position: [0, 0],
    parameters,
  };
  const helpers = [description.properties, parameters, true, false, node, description];
  const shown = description.properties.filter((property) =>
    NodeHelpers.displayParameter(parameters, property, node, description),
  );
  return {
    parameters: NodeHelpers.getNodeParameters(...helpers),
    issues: NodeHelpers.getNodeParametersIssues(description.properties, node, description),
    filters: shown.filter(({ name }) => name === "filters").flatMap(({ options }) => options),
    operations: shown.filter(({ name }) => name === "operation").flatMap(({ options }) => options),
  };
}

const connection = NodeHelpers.getNodeParameters(
  credential.properties,
  {},
  true,
  false,
  null,
  null,
);
console.log(JSON.stringify({ cases: cases.map(resolve), connection }));
