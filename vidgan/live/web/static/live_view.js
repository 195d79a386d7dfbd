// The live output by WebRTC: the shared stream, or that of the user's own camera. Where WebRTC is blocked, as behind a
// tunnel, the shared stream is displayed as a sequence of JPEG images.
import { send } from "/static/uploads.js";

const RETRY_MS = 2000;
const FALLBACK_AFTER_MS = 8000;
const RETRY_DURING_FALLBACK_MS = 60000;
const ICE_TIMEOUT_MS = 1500;
const CAMERA = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 30 }, facingMode: "environment" };

export class LiveView {
  #peer = null;
  #camera = null;
  #opening = false;
  #openedAt = 0;
  #displayTimes = [];
  #networkLatency = 0;
  #fallback = false;
  #connectedAt = performance.now();

  constructor(video, image, notify) {
    Object.assign(this, { video, image, notify });
    this.#countFrames();
  }

  // Reconnects or falls back to images where needed; the user's own camera needs WebRTC.
  keepConnected(ownCamera) {
    const now = performance.now();
    if (this.#peer?.connectionState === "connected") {
      this.#fallback = false;
      this.#connectedAt = now;
      return;
    }
    const late = now - this.#connectedAt > FALLBACK_AFTER_MS;
    if (ownCamera) {
      if (late) this.notify("Your camera is not received: WebRTC needs UDP between this browser and the server.", true);
      return;
    }
    if (late) this.#showImages();
    const pending = this.#peer && !["failed", "closed"].includes(this.#peer.connectionState);
    const retry = this.#fallback ? RETRY_DURING_FALLBACK_MS : pending ? Infinity : RETRY_MS;
    if (!this.#opening && now - this.#openedAt > retry) this.open({ camera: false, shared: true });
  }

  // Connects anew: with the user's camera, or to the shared stream if there is one.
  async open({ camera, shared }) {
    if (this.#opening) return;
    this.#opening = true;
    this.#openedAt = performance.now();
    try {
      const media = camera ? await this.#openCamera() : null;
      this.close();
      this.#camera = media;
      if (media) {
        this.#fallback = false;
        this.#connectedAt = performance.now();
      }
      if (camera || shared) await this.#connect();
      else await send("DELETE", "/connection");
      this.notify("");
    } catch (error) {
      this.close();
      this.notify(error.message || String(error), true);
    } finally {
      this.#opening = false;
    }
  }

  // Until WebRTC is connected, or the user's camera is opened.
  async #showImages() {
    if (this.#fallback) return;
    this.#fallback = true;
    while (this.#fallback) {
      try {
        const response = await send("GET", "/frame");
        if (response.status === 204) continue;
        const url = URL.createObjectURL(await response.blob());
        const previous = this.image.src;
        this.image.src = url;
        this.image.hidden = false;
        await this.image.decode();
        if (previous) URL.revokeObjectURL(previous);
        this.#displayTimes.push(performance.now());
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    this.image.hidden = true;
  }

  close() {
    for (const track of this.#camera?.getTracks() ?? []) track.stop();
    this.#peer?.close();
    this.#peer = this.#camera = this.video.srcObject = null;
    this.#displayTimes = [];
  }

  // Displayed frames per second, and seconds from capture to display; `processing` is the server's part of these.
  stats(processing) {
    this.#measureNetwork();
    const now = performance.now();
    this.#displayTimes = this.#displayTimes.filter((time) => time > now - 2000);
    return { fps: this.#displayTimes.length / 2, latency: processing + this.#networkLatency };
  }

  async #openCamera() {
    if (!navigator.mediaDevices) {
      throw new Error("Browsers give camera access only to pages by https or of the same machine.");
    }
    try {
      return await navigator.mediaDevices.getUserMedia({ video: CAMERA, audio: false });
    } catch (error) {
      throw new Error(`The camera cannot be opened: ${error.message}`);
    }
  }

  async #connect() {
    const peer = (this.#peer = new RTCPeerConnection({ iceServers: [] }));
    if (this.#camera) peer.addTrack(this.#camera.getVideoTracks()[0], this.#camera);
    else peer.addTransceiver("video", { direction: "recvonly" });
    peer.ontrack = (event) => {
      event.receiver.jitterBufferTarget = 0;
      this.video.srcObject = new MediaStream([event.track]);
    };
    await peer.setLocalDescription(await peer.createOffer());
    await iceGathered(peer);
    const { type, sdp } = peer.localDescription;
    const answer = await send("POST", "/connection", { offer: { type, sdp }, camera: Boolean(this.#camera) });
    await peer.setRemoteDescription(await answer.json());
  }

  #countFrames() {
    if (!("requestVideoFrameCallback" in this.video)) return;
    const count = (now) => {
      this.#displayTimes.push(now);
      if (this.#displayTimes.length > 200) this.#displayTimes.shift();
      this.video.requestVideoFrameCallback(count);
    };
    this.video.requestVideoFrameCallback(count);
  }

  // Half of a round trip, and the time from the first packet of a frame to the decoded frame.
  async #measureNetwork() {
    if (this.#peer?.connectionState !== "connected") return;
    let seconds = 0;
    for (const report of (await this.#peer.getStats()).values()) {
      if (report.type === "candidate-pair" && report.nominated) seconds += (report.currentRoundTripTime ?? 0) / 2;
      if (report.type === "inbound-rtp" && report.framesDecoded) {
        seconds += (report.totalProcessingDelay ?? 0) / report.framesDecoded;
      }
    }
    this.#networkLatency = seconds;
  }
}

function iceGathered(peer) {
  return new Promise((resolve) => {
    if (peer.iceGatheringState === "complete") resolve();
    peer.addEventListener("icegatheringstatechange", () => {
      if (peer.iceGatheringState === "complete") resolve();
    });
    setTimeout(resolve, ICE_TIMEOUT_MS);
  });
}
