# Both services from one build. `docker build --target controller .` or `--target node-agent .`
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /waymark
COPY . .
RUN npm ci --omit=dev --omit=optional && npx tsc -b

FROM node:20.20.2-bookworm-slim AS runtime
ENV NODE_ENV=production
WORKDIR /waymark
COPY --from=build /waymark ./

# Stateless: everything it knows is in Postgres (DATABASE_URL). Any number of them may run; one leads.
FROM runtime AS controller
USER node
ENV WAYMARK_HTTP_HOST=0.0.0.0 WAYMARK_GRPC_HOST=0.0.0.0
EXPOSE 8080 50051
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/readyz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/controller/dist/main.js"]

# One per headend, in that host's network namespace, with NET_ADMIN for the Linux data plane.
FROM runtime AS node-agent
RUN apt-get update && apt-get install -y --no-install-recommends iproute2 && rm -rf /var/lib/apt/lists/*
VOLUME /var/lib/waymark
CMD ["node", "apps/node-agent/dist/main.js"]
