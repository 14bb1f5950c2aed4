import express, { type RequestHandler, Router } from 'express'
import helmet from 'helmet'
import { assetsPath, pageFolder } from '../../console/assets.ts'

/** The files of the approvals page, and header fields that say what the page may do in a browser. */
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

/** The page runs and shows its own files, asks its own server, and is framed by nothing. */
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
  // The harness speaks plain HTTP, mostly on loopback.
  strictTransportSecurity: false,
})
