export type Shell = 'bash' | 'powershell' | 'dotenv'

/** How each shell sets an environment variable. */
export const assignments: Record<Shell, (name: string, value: string) => string> = {
  bash: (name, value) => `export ${name}='${value.replaceAll("'", "'\\''")}'`,
  powershell: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
  dotenv: (name, value) => `${name}=${value}`,
}
