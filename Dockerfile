# The harness as a container: docker build -t lumoauth-harness . && docker run --rm -p 4400:4400 -p 4401:4401 lumoauth-harness
# Pin the base image: --build-arg NODE_IMAGE=node:24-slim@sha256:… as your registry shows it.
ARG NODE_IMAGE=node:24-slim
# All that is run while building is run on the machine that builds: the package has no binaries.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm pack --ignore-scripts --pack-destination /package
WORKDIR /opt/lumoauth-harness
COPY package-lock.json ./
# What the lock file says, and nothing else: the package without its development, then its dependencies.
RUN tar --extract --gzip --strip-components=1 --file /package/*.tgz && \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force
# For --journal /data/journal.jsonl: a volume here belongs to the user of the image.
RUN install -d -o 1000 -g 1000 /data

FROM ${NODE_IMAGE}
COPY --from=build /opt/lumoauth-harness /opt/lumoauth-harness
COPY --from=build --chown=1000:1000 /data /data
VOLUME /data
# A number: Kubernetes refuses a name under runAsNonRoot.
USER 1000:1000
WORKDIR /home/node
EXPOSE 4400 4401
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s \
    CMD ["node", "-e", "fetch('http://127.0.0.1:4400/healthz').then((it) => process.exit(it.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/opt/lumoauth-harness/dist/cli/cli.js"]
CMD ["start", "--host", "0.0.0.0", "--log", "json", "--json"]
