"""The few lines of JavaScript that Zapier's and Activepieces' definitions carry.

Both platforms run functions of JavaScript where a request alone will not do: a search answers with
a bundle, and they want its resources.
"""

# `inputs` says for each input its name in the query and whether several values repeat it.
QUERY = """\
const query = new URLSearchParams();
for (const [input, { name, repeats }] of Object.entries(inputs)) {
  const values = [given[input] ?? []].flat().map(String).filter((value) => value.trim());
  if (repeats) values.forEach((value) => query.append(name, value));
  else if (values.length) query.append(name, values.join(","));
}
"""

# A bundle may carry other resources along; those asked for are told by their type.
RESOURCES = """\
(bundle.entry ?? []).map((entry) => entry.resource).filter((found) => found?.resourceType === type)
"""
