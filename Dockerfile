# Both services from one build, which leaves its bill of materials in /waymark/sbom.cdx.json. `docker build --target controller .` or `--target node-agent .`
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /waymark
COPY . .
RUN npm ci --omit=dev --omit=optional && npx tsc -b && node scripts/sbom.mjs sbom.cdx.json

FROM node:20.20.2-bookworm-slim AS runtime
ENV NODE_ENV=production
WORKDIR /waymark
COPY --from=build /waymark ./

# Stateless: everything it knows is in Postgres (DATABASE_URL). Any number of them may run; one leads.
FROM runtime AS controller
USER node
ENV WAYMARK_HTTP_HOST=0.0.0.0 WAYMARK_HTTP_PORT=8080 WAYMARK_GRPC_HOST=0.0.0.0 WAYMARK_GRPC_PORT=50051
EXPOSE 8080 50051
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "const port = process.env.WAYMARK_HTTP_PORT; require(process.env.WAYMARK_TLS_CERT_FILE ? 'https' : 'http').get({ host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false }, r => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
CMD ["node", "apps/controller/dist/main.js"]

# One per headend. A dry run needs no privilege and runs as `node`. The Linux data plane needs root and NET_ADMIN: iproute2
# gives up its capabilities when another user runs it. Both may write the state folder, root without being above the rules.
FROM runtime AS node-agent
RUN apt-get update && apt-get install -y --no-install-recommends iproute2 nftables && rm -rf /var/lib/apt/lists/* \
  && install -d -o root -g node -m 770 /var/lib/waymark
USER node
ENV WAYMARK_STATUS_PORT=9850
VOLUME /var/lib/waymark
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.WAYMARK_STATUS_PORT + '/healthz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/node-agent/dist/main.js"]
