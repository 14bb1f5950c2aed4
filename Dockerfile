# The harness as a container: docker build -t lumoauth-harness . && docker run --rm -p 4400:4400 -p 4401:4401 lumoauth-harness
FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm pack --ignore-scripts --pack-destination /package

FROM node:24-slim
RUN --mount=from=build,source=/package,target=/package \
    npm install --global --no-audit --no-fund /package/*.tgz && npm cache clean --force
USER node
WORKDIR /home/node
EXPOSE 4400 4401
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s \
    CMD ["node", "-e", "fetch('http://127.0.0.1:4400/healthz').then((it) => process.exit(it.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["lumoauth-harness"]
CMD ["start", "--host", "0.0.0.0", "--log", "json"]
