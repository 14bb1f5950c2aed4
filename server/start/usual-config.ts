/** The file that `start` reads by default, if it is in the current folder. */
export const usualConfig = 'tenants.yaml'
