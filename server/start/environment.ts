export type Shell = 'bash' | 'powershell' | 'dotenv'

/** How a variable of the environment is set, by shell. */
export const assignments: Record<Shell, (name: string, value: string) => string> = {
  bash: (name, value) => `export ${name}='${value.replaceAll("'", "'\\''")}'`,
  powershell: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
  dotenv: (name, value) => `${name}=${value}`,
}
