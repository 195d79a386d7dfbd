# CPU:  docker build -t vidgan .
# CUDA: docker build -t vidgan:cuda --build-arg EXTRAS=cuda .   and run with --gpus all
#
#       docker run --rm -v "$PWD:/data" vidgan stylize clip.mp4 --style starry
ARG PYTHON=3.12
FROM python:${PYTHON}-slim

# OpenCV's window and Ctrl-C handling need these two; everything else comes with the wheels.
RUN apt-get update && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 && rm -rf /var/lib/apt/lists/*

ARG EXTRAS=""
COPY pyproject.toml README.md LICENSE /src/
COPY vidgan /src/vidgan
RUN pip install --no-cache-dir "/src[${EXTRAS}]" && rm -rf /src && vidgan --version

WORKDIR /data
ENTRYPOINT ["vidgan"]
CMD ["--help"]
