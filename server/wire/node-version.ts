/** The oldest Node that the package runs on: `engines` of package.json, as numbers. */
export const oldestNode = { major: 22, minor: 18 }

/**
 * Says in one sentence that this Node is too old.
 * @param version the version of Node, such as `20.20.2`; undefined in a browser
 * @returns undefined where it is new enough, or there is no Node
 */
export const describeOldNode = (version: string | undefined): string | undefined => {
  if (version === undefined) return undefined
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const { major: atLeast, minor: andMinor } = oldestNode
  if (major > atLeast || (major === atLeast && minor >= andMinor)) return undefined
  return `lumoauth-harness needs Node ${atLeast}.${andMinor} or newer, and this is Node ${version}`
}
