/** Prints a result for the table in `test/README.md`. */
export const figure = (what: string, outcome: Readonly<Record<string, unknown>>): void => {
  const facts = Object.entries(outcome).map(([name, value]) => `${name} ${value}`)
  process.stdout.write(`figure: ${what}: ${facts.join(', ')}\n`)
}
