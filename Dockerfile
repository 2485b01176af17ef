# syntax=docker/dockerfile:1
# audit and the two simulators in one image: `docker build -t audit .`, then `docker run --rm audit --help`.
# No Docker engine was at hand where this was written: the image was not built there.

FROM rust:1.95-slim-bookworm AS build
# A C toolchain for librdkafka and zstd, and the headers of OpenSSL and zlib.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ gcc libc6-dev libssl-dev make pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --locked --release --package audit --package order-sim --package payment-sim --bins \
    && install -D -t /built target/release/audit target/release/order-sim target/release/payment-sim

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libssl3 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --create-home audit
COPY --from=build /built/ /usr/local/bin/
USER audit
WORKDIR /home/audit
ENTRYPOINT ["audit"]
CMD ["--help"]
