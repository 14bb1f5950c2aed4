import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import express, { type RequestHandler, Router } from 'express'
import { pageFolder } from '../../server/console/assets.ts'
import { packageRoot } from '../../server/package-root.ts'
import { style } from '../reports/html/style.ts'

const folder = fileURLToPath(new URL('scenarios/ui/page/', packageRoot))

/** The page as HTML. */
export const pageText = (): string => readFileSync(`${folder}/index.html`, 'utf8')

/**
 * The files of the page, at the paths that they have in the package: modules of the approvals page
 * that both use are imported by a relative path. The style of the HTML report is served as a file.
 */
export const serveAssets = (): RequestHandler => {
  const files = { index: false, redirect: false, dotfiles: 'ignore', cacheControl: false } as const
  const router = Router()
  router.get('/report.css', (_request, response) => void response.type('css').send(style))
  router.use('/scenarios/ui/page', express.static(folder, files))
  router.use('/server/console/page', express.static(pageFolder, files))
  return router
}
