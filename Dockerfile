# The image of hardener: `docker build --tag hardener .`, or the same with podman or buildah.
#
# BASE is any image of Debian or Ubuntu with Python 3.11 or newer and its venv module. Of it the result holds what
# Python needs to run, and nothing else: no shell, no package manager, no pip. A tag moves; for the same image each
# time, name a digest, which `docker buildx imagetools inspect docker.io/library/python:3.13-slim` prints:
#   docker build --build-arg BASE=docker.io/library/python:3.13-slim@sha256:... .
#
# Where pip has to be told of an index or an authority of your own, both are optional and stay out of the image:
#   docker build --secret id=pip.conf,src=pip.conf --secret id=ca.crt,src=ca.crt .
# The latter is /run/secrets/ca.crt in pip.conf (`cert = /run/secrets/ca.crt`).
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS dependencies
# Every file is of that time (seconds since 1970), so that the same input makes the same layers.
ARG SOURCE_DATE_EPOCH=1580601600
ENV SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH} \
    PIP_CONFIG_FILE=/run/secrets/pip.conf \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python3 -m venv /build/tools && python3 -m venv --without-pip /opt/hardener
COPY requirements/run.txt requirements/
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.crt \
    tools/bin/pip --python /opt/hardener/bin/python install --no-compile --no-cache-dir \
    --require-hashes --only-binary :all: -r requirements/run.txt
# Bytecode that never looks at its source does not depend on times. There is none of the classes for every kind of
# object that make up most of the kubernetes package: 49 MB that nobody would load. The dependencies' commands go too.
RUN rm -rf /opt/hardener/include && find /opt/hardener/bin -type f -delete \
 && python3 -m compileall -q --invalidation-mode unchecked-hash -x '/kubernetes/(aio/)?client/(api|models)/' \
    /opt/hardener \
 && mkdir -p /packages/opt && cp --archive --link /opt/hardener /packages/opt/ \
 && find /packages -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

FROM dependencies AS interpreter
COPY deploy/image/interpreter.py .
RUN python3 interpreter.py /image /opt/hardener \
 && find /image -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

FROM dependencies AS project
COPY requirements/build.txt requirements/
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.crt \
    tools/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY config/default.yaml config/
COPY hardener hardener
RUN tools/bin/python -m hatchling build --target wheel --directory /build/wheel \
 && tools/bin/pip --python /opt/hardener/bin/python install --no-compile --no-deps --no-index \
    --no-warn-script-location --root /project /build/wheel/*.whl \
 && python3 -m compileall -q --invalidation-mode unchecked-hash -s /project -p / /project \
 && find /project -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

# The bill of materials: `docker build --target sbom --output . .` writes sbom.cdx.json, CycloneDX.
FROM dependencies AS inventory
COPY requirements/sbom.txt requirements/
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.crt \
    python3 -m venv cyclonedx && cyclonedx/bin/pip install --no-cache-dir \
    --require-hashes --only-binary :all: -r requirements/sbom.txt
COPY --from=project /project /
COPY pyproject.toml .
# The version stands elsewhere, which that file says and the tool does not follow.
RUN version=$(/opt/hardener/bin/python -c "from importlib.metadata import version; print(version('hardener'))") \
 && sed "s/^dynamic = .*/version = \"$version\"/" pyproject.toml > static.toml \
 && cyclonedx/bin/cyclonedx-py environment --pyproject static.toml --output-reproducible --output-file sbom.cdx.json \
    /opt/hardener/bin/python

FROM scratch AS sbom
COPY --from=inventory /build/sbom.cdx.json /

FROM scratch
ARG BASE
LABEL org.opencontainers.image.title="hardener" \
      org.opencontainers.image.description="A Kubernetes admission webhook that makes every pod safe by default" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE}"
COPY --from=interpreter /image /
COPY --from=dependencies /packages /
COPY --from=project /project /
# Every runtime has /dev/shm, which is memory, and writable where the root is not: OpenSSL reads keys from files only.
ENV PATH=/opt/hardener/bin \
    LANG=C.UTF-8 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    TMPDIR=/dev/shm
USER 65532:65532
EXPOSE 8443 8080
ENTRYPOINT ["hardener"]
CMD ["serve"]
