# syntax=docker/dockerfile:1
# docker build -t incipit . && docker run -p 4141:4141 -e INCIPIT_KEY=choose-a-long-key -v incipit:/data incipit

FROM node:24-slim AS build
WORKDIR /app
COPY . .
RUN npm ci --ignore-scripts && npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/packages ./packages
COPY docker/incipit.yaml /etc/incipit/incipit.yaml
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 4141
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4141/health/liveness').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "packages/gateway/dist/cli/main.js"]
CMD ["serve", "--config", "/etc/incipit/incipit.yaml"]
