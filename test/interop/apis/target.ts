/**
 * The target file for an API of this folder, which serves `/documents/plan` and `/documents/budget`.
 * @param routes more routes, as YAML
 */
export const apiTarget = (port: number | undefined, routes = ''): string => `api:
  url: http://127.0.0.1:${port}
  routes:
    - request: GET /documents/plan
      requires: { type: file_access, actions: [read], identifier: plan }
      foreign: /documents/budget
${routes}limits: { requests_per_minute: 60000 }
`
