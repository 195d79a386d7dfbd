"""The loop that everybody writes first: OpenCV reads, a model runs, OpenCV writes. To compare with.

::

    python -m benchmarks.loop MODEL INPUT OUTPUT [onnxruntime|dnn]
"""

import sys

import cv2
import numpy as np

from vidgan.session.runtime import ort


def main(model: str, source: str, target: str, runtime: str = "onnxruntime") -> None:
    """Processes a video; with OpenCV's own runtime the model must be one that that can run."""
    reader = cv2.VideoCapture(source)
    size = int(reader.get(cv2.CAP_PROP_FRAME_WIDTH)), int(reader.get(cv2.CAP_PROP_FRAME_HEIGHT))
    writer = cv2.VideoWriter(target, cv2.VideoWriter.fourcc(*"mp4v"), reader.get(cv2.CAP_PROP_FPS), size)
    if runtime == "dnn":
        net = cv2.dnn.readNetFromONNX(model)
    else:
        session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
    while True:
        read, frame = reader.read()
        if not read:
            break
        images = np.ascontiguousarray(frame[np.newaxis, :, :, ::-1])
        if runtime == "dnn":
            net.setInput(images)
            stylized = net.forward()
        else:
            stylized = session.run(None, {name: images})[0]
        writer.write(np.ascontiguousarray(stylized[0, :, :, ::-1]))
    writer.release()


if __name__ == "__main__":
    main(*sys.argv[1:])
