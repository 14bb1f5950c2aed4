import { type Contract, linksOf, type Paragraph } from '../../wire/contract.ts'
import { inlineOf, type Markup, markup, proseOf } from '../../wire/markup.ts'
import type {
  Answered,
  OpenApi,
  Operation,
  Parameter,
  PathItem,
  Response,
} from '../../wire/openapi/document.ts'
import type { Schema } from '../../wire/openapi/schemas.ts'
import { curlOf } from './docs-curl.ts'

/** The OpenAPI document and the contract as an HTML page, which is complete without its script. */
export const renderDocsPage = (document: OpenApi, contract: Contract, assets: string): string =>
  markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>API of ${document.info.title}</title>
<link rel="icon" type="image/svg+xml" href="${assets}/mark.svg">
<link rel="stylesheet" href="${assets}/page.css">
<link rel="stylesheet" href="${assets}/docs.css">
<script type="module" src="${assets}/docs.js"></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="top">
<p class="brand"><img src="${assets}/mark.svg" alt="" width="24" height="24"><span>${document.info.title}</span><span class="tenant">${document.info.version}</span></p>
<p class="search" hidden><input id="search" type="search" placeholder="Search paths, members, errors" aria-label="Search" aria-describedby="found"> <span id="found" role="status"></span></p>
<p><a href="/openapi.json">openapi.json</a></p>
</header>
<div class="docs">
${contents(document)}
<main id="main" tabindex="-1">
<h1>${document.info.summary}</h1>
${document.info.description.split('\n\n').map((it) => markup`<p>${inlineOf(it)}</p>\n`)}
${describeAccess(document)}
${document.tags.map((tag) => section(document, tag, contract))}
${contractSections(contract)}
${schemas(document)}
</main>
</div>
</body>
</html>
`.text

/** A route with all its paths, the main path first. */
type Entry = Readonly<{
  operation: Operation
  method: string
  paths: readonly string[]
  at: string
}>

const entriesOf = (document: OpenApi): Entry[] => {
  const entries = new Map<string, Entry>()
  for (const [path, item] of Object.entries(document.paths)) {
    const { servers: [server] = document.servers, ...methods } = item
    for (const [method, operation] of Object.entries(methods as Omit<PathItem, 'servers'>)) {
      const name = operation.operationId.replace(/\.\d+$/, '')
      const known = entries.get(name)
      entries.set(name, {
        method: method.toUpperCase(),
        at: server?.url ?? '',
        paths: [...(known?.paths ?? []), path],
        operation: known?.operation ?? operation,
      })
    }
  }
  return [...entries.values()]
}

const contents = (document: OpenApi) => markup`<nav class="contents" aria-label="Contents">
<ul>
<li><a href="#credentials">Credentials</a></li>
${document.tags.map(({ name }) => markup`<li><a href="#${slug(name)}">${name}</a></li>\n`)}
<li><a href="#contract">Contract</a></li>
<li><a href="#schemas">Schemas</a></li>
</ul>
</nav>`

const describeAccess = ({ components, servers, paths }: OpenApi) => {
  const api = Object.values(paths).find(({ servers }) => servers !== undefined)?.servers ?? []
  return markup`<section id="credentials" aria-labelledby="credentials-title">
<h2 id="credentials-title">Where, and with what</h2>
<dl class="terms">
${[...servers, ...api].map(({ url, description }) => markup`<dt><code>${url}</code></dt><dd>${description}</dd>\n`)}
</dl>
<dl class="terms">
${Object.entries(components.securitySchemes).map(
  ([name, { description }]) => markup`<dt>${name}</dt><dd>${inlineOf(description)}</dd>\n`,
)}
</dl>
</section>`
}

const section = (
  document: OpenApi,
  { name, description }: OpenApi['tags'][number],
  contract: Contract,
) => markup`<section id="${slug(name)}" aria-labelledby="${slug(name)}-title">
<h2 id="${slug(name)}-title">${name}</h2>
<p class="muted">${description}</p>
${entriesOf(document)
  .filter(({ operation }) => operation.tags.includes(name))
  .map((entry) => article(document, entry, contract))}
</section>`

const article = (document: OpenApi, entry: Entry, contract: Contract) => {
  const { operation, method, at, paths } = entry
  const [path = '', ...others] = paths
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation
  return markup`<article id="${operationId}" aria-labelledby="${operationId}-title">
<h3 id="${operationId}-title">${summary}</h3>
<p class="call"><span class="method">${method}</span> <code>${path}</code></p>
${description ? markup`<p>${inlineOf(description)}</p>` : ''}
<p class="muted">${joinParts(sourceLinks(operation['x-source'], contract), '; ')}</p>
<details><summary>${operationId}: by curl</summary>
<pre tabindex="0"><code>${curlOf(document, { method, path, at, operation })}</code></pre>
</details>
<details><summary>${operationId}: request and answers</summary>
${others.length > 0 ? markup`<h4>Also at</h4><ul>${others.map((it) => markup`<li><code>${it}</code></li>`)}</ul>` : ''}
<h4>Credentials</h4><p>${credentials(operation)}</p>
${parameters.length > 0 ? markup`<h4>Parameters</h4>${table(parameters.map(parameterRow))}` : ''}
${Object.entries(requestBody?.content ?? {}).map(
  ([type, { schema = {} }]) =>
    markup`<h4>Body <code>${type}</code>${requestBody?.required ? '' : '(optional)'}: ${typeOf(schema)}</h4>${shape(resolveSchema(document, schema))}`,
)}
<h4>Answers</h4>
<dl class="answers">
${Object.entries(responses).map(([status, it]) => answer(document, status, it))}
</dl>
</details>
</article>
`
}

const sourceLinks = (source: string, contract: Contract) =>
  linksOf(source).map(({ text, anchor, url }) => {
    const paragraph = contract.get(anchor ?? '')
    if (paragraph !== undefined) {
      return markup`<a href="#contract-${paragraph.anchor}">Contract: ${paragraph.title}</a>`
    }
    return url === undefined ? text : markup`<a href="${url}">${text}</a>`
  })

const contractSections = (
  contract: Contract,
) => markup`<section id="contract" aria-labelledby="contract-title">
<h2 id="contract-title">Contract</h2>
<p class="muted">What the sources of LumoAuth say, and what this package does where they say nothing or disagree.</p>
${[...contract.values()].map(paragraphOf)}
</section>`

const paragraphOf = ({
  anchor,
  title,
  section,
  text,
}: Paragraph) => markup`<article id="contract-${anchor}" aria-labelledby="contract-${anchor}-title">
<h3 id="contract-${anchor}-title">${title} <span class="muted">${section}</span></h3>
${proseOf(text)}
</article>
`

const credentials = ({ security }: Operation) => {
  if (security.length === 0) return 'none'
  return joinParts(
    security.map(
      (way) => Object.keys(way).join(' and ') || 'none, when the body has the credentials',
    ),
    ', or ',
  )
}

const answer = (document: OpenApi, status: string, response: Response) => {
  const { description, content = {} }: Answered =
    '$ref' in response
      ? (document.components.responses[response.$ref.split('/').at(-1) ?? ''] ?? nothing)
      : response
  const bodies = Object.entries(content).map(([type, { schema = {} }]) =>
    type === 'application/json' ? typeOf(schema) : markup`<code>${type}</code>`,
  )
  return markup`<dt>${status}</dt><dd>${description}${bodies.length > 0 ? markup`: ${joinParts(bodies, ' or ')}` : ''}</dd>\n`
}

const nothing = { description: '' }

const schemas = ({
  components,
}: OpenApi) => markup`<section id="schemas" aria-labelledby="schemas-title">
<h2 id="schemas-title">Schemas</h2>
${Object.entries(components.schemas).map(
  ([name, schema]) => markup`<article id="schema-${name}" aria-labelledby="schema-${name}-title">
<h3 id="schema-${name}-title">${name}</h3>
${schema.description ? markup`<p>${String(schema.description)}</p>` : ''}
${shape(schema)}
</article>
`,
)}
</section>`

type Row = Readonly<{ name: string; type: Markup; required: boolean; more: Markup | string }>

const table = (
  rows: readonly Row[],
) => markup`<div class="table" tabindex="0" role="group" aria-label="Members"><table>
<thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Required</th><th scope="col">Notes</th></tr></thead>
<tbody>
${rows.map(
  ({ name, type, required, more }) =>
    markup`<tr><th scope="row"><code>${name}</code></th><td>${type}</td><td>${required ? 'yes' : 'no'}</td><td>${more}</td></tr>\n`,
)}
</tbody></table></div>`

const parameterRow = ({ name, in: where, required, schema, description }: Parameter): Row => ({
  name,
  type: typeOf(schema),
  required,
  more: markup`${inlineOf(description ?? '')} In the ${where}${limits(schema).map((it) => `; ${it}`)}.`,
})

const resolveSchema = ({ components }: OpenApi, schema: Schema): Schema =>
  components.schemas[String(schema.$ref).split('/').at(-1) ?? ''] ?? schema

/** The shape of a body: its members, if it has any. */
const shape = (schema: Schema): Markup => {
  const rows = membersOf(schema)
  if (rows.length > 0) return markup`${table(rows)}${describeMemberGroups(schema)}`
  const members = [schema.anyOf, schema.oneOf].find(Array.isArray) ?? []
  if (members.some((it) => membersOf(it).length > 0)) {
    return markup`${members.map((it, at) => markup`${at > 0 ? markup`<p>or</p>` : ''}${shape(it)}`)}`
  }
  return markup`<p>${typeOf(schema)}</p>`
}

/** Which members are required together, if the table cannot express it. */
const describeMemberGroups = ({ anyOf, oneOf, dependentRequired = {} }: Schema) => {
  const ways = ([anyOf, oneOf].find(Array.isArray) ?? []).flatMap((it: Schema) =>
    Array.isArray(it.required) ? [it.required.join(' and ')] : [],
  )
  const pairs = Object.entries(dependentRequired as Record<string, string[]>)
  return markup`${ways.length > 0 ? markup`<p>Requires ${joinParts(ways, ', or ')}.</p>` : ''}
${pairs.map(
  ([name, others]) => markup`<p><code>${name}</code> requires ${others.join(' and ')}.</p>
`,
)}`
}

/** The members of an object, each followed by the members of objects within it. */
const membersOf = ({ properties = {}, required = [] }: Schema, before = ''): Row[] =>
  Object.entries(properties as Record<string, Schema>).flatMap(([name, schema]) => [
    {
      name: before + name,
      type: typeOf(schema),
      required: (required as string[]).includes(name),
      more: joinParts([...describedAs(schema), ...limits(schema)], '; '),
    },
    ...membersOf(schema, `${before}${name}.`),
    ...membersOf((schema.items as Schema | undefined) ?? {}, `${before}${name}[].`),
  ])

const describedAs = ({ description }: Schema) =>
  typeof description === 'string' ? [inlineOf(description.replace(/\.$/, ''))] : []

const typeOf = (schema: Schema): Markup => {
  const { $ref, anyOf, oneOf, type, items, prefixItems, format } = schema
  if (typeof $ref === 'string') {
    const name = $ref.split('/').at(-1)
    return markup`<a href="#schema-${name}">${name}</a>`
  }
  if ('const' in schema) return markup`<code>${JSON.stringify(schema.const)}</code>`
  if (Array.isArray(schema.enum)) {
    return joinParts(
      schema.enum.map((it) => markup`<code>${JSON.stringify(it)}</code>`),
      ' or ',
    )
  }
  const members = [anyOf, oneOf].find(Array.isArray)
  if (members && type === undefined) return joinParts(members.map(typeOf), ' or ')
  if (Array.isArray(prefixItems))
    return markup`array of ${joinParts(prefixItems.map(typeOf), ', ')}`
  if (type === 'array') return markup`array of ${typeOf((items as Schema | undefined) ?? {})}`
  return markup`${String(type ?? 'anything')}${format === undefined ? '' : ` (${format})`}`
}

const limits = (schema: Schema): string[] => {
  const { exclusiveMinimum, pattern, format } = schema
  // Omits the limits that every integer has.
  const [minimum, maximum] = [schema.minimum, schema.maximum].map((it) =>
    typeof it === 'number' && Math.abs(it) < Number.MAX_SAFE_INTEGER ? it : undefined,
  )
  const between = (low: unknown, high: unknown, of: string) => {
    if (low === 1 && high === undefined && of !== '') return ['not empty']
    if (low === undefined && high === undefined) return []
    if (low === undefined) return [`at most ${high}${of}`]
    return [high === undefined ? `at least ${low}${of}` : `${low} to ${high}${of}`]
  }
  return [
    ...between(schema.minLength, schema.maxLength, ' characters'),
    ...between(schema.minItems, schema.maxItems, ' items'),
    ...between(minimum, maximum, ''),
    ...(exclusiveMinimum === undefined ? [] : [`more than ${exclusiveMinimum}`]),
    ...(pattern === undefined || format !== undefined ? [] : [`matches ${pattern}`]),
    ...(schema.default === undefined ? [] : [`default ${short(JSON.stringify(schema.default))}`]),
    ...(schema.additionalProperties === false && schema.properties ? ['nothing else'] : []),
  ]
}

const short = (text: string) => (text.length > 120 ? `${text.slice(0, 119)}…` : text)

const joinParts = (parts: readonly (Markup | string)[], between: string) =>
  markup`${parts.map((part, at) => markup`${at > 0 ? between : ''}${part}`)}`

const slug = (name: string) => name.toLowerCase().replace(/[^a-z]+/g, '-')
