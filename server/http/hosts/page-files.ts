import express, { type RequestHandler, Router } from 'express'
import { assetsPath, pageFolder } from '../../console/assets.ts'
import { pageHeaders } from './page-headers.ts'

/** The files of the approvals page, and its security headers. */
export const servePageFiles = (pathInFront: () => string): RequestHandler => {
  const router = Router()
  router.use(['/console', '/approve'], pageHeaders)
  router.use('/console/_page/:version', (request, response, next) =>
    request.baseUrl.endsWith(assetsPath()) && !request.path.endsWith('.html')
      ? files(request, response, next)
      : next(),
  )
  return (request, response, next) => {
    const { url } = request
    const path = pathInFront()
    if (path === '' || !url.startsWith(`${path}/`)) return router(request, response, next)
    request.url = url.slice(path.length)
    router(request, response, (error) => {
      request.url = url
      next(error)
    })
  }
}

const files = express.static(pageFolder, { immutable: true, maxAge: '1y', index: false })
