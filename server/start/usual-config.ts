/** The file that `start` reads without `--config`, where it is in the folder. */
export const usualConfig = 'tenants.yaml'
