import express, { type RequestHandler, Router } from 'express'
import helmet from 'helmet'
import { assetsPath, pageFolder } from '../../console/assets.ts'

/** The files of the approvals page, and its security headers. */
export const servePageFiles = (pathInFront: () => string): RequestHandler => {
  const router = Router()
  router.use(['/console', '/approve'], securityHeaders)
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

/** The page loads only its own files, sends requests only to its own server, and cannot be framed. */
const securityHeaders = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
      requireTrustedTypesFor: ["'script'"],
      trustedTypes: ["'none'"],
    },
  },
  xFrameOptions: { action: 'deny' },
  // The harness uses plain HTTP, usually on loopback.
  strictTransportSecurity: false,
})
