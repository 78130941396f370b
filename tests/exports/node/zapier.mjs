// Checks a Zapier app definition with Zapier's own schema, and runs its searches without a network.
//   node zapier.mjs definition.json cases.json
// Each case: { key, input, answer }. Prints { errors, runs: [{ url, found }] } as JSON.
import { readFileSync } from "node:fs";
import schema from "zapier-platform-schema";

const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const [definition, cases] = process.argv.slice(2).map(read);

const { errors } = schema.validateAppDefinition(definition);

async function run({ key, input, answer }) {
  const { source, args } = definition.searches[key].operation.perform;
  const asked = [];
  const z = {
    request: async ({ url }) => {
      asked.push(url);
      return { data: answer };
    },
  };
  const bundle = { authData: { fhir_base_url: "https://fhir.example.com/r4" }, inputData: input };
  // As zapier-platform-core makes a function of a definition's source.
  const found = await Function(...args, source)(z, bundle);
  return { url: asked[0], found };
}

const runs = await Promise.all(cases.map(run));
console.log(JSON.stringify({ errors: errors.map((error) => error.stack), runs }));
