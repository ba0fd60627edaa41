# One image for every role: `docker build -t pouw .`, then `docker run pouw miner --help`.
FROM node:24-bookworm-slim
WORKDIR /app
COPY . .
RUN npm ci --omit=dev && npm cache clean --force && install -d -o node -g node /data
# What /data gets mounted is written by this user; compose.yaml's `init` sees to it.
USER node
ENV POUW_DATA=/data NODE_ENV=production
VOLUME /data
ENTRYPOINT ["node", "bin/pouw.js"]
