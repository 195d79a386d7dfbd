// The picture by WebRTC: that of the house, or the visitor's own camera painted.
import { send } from "/static/clips.js";

const AGAIN = 2000;
const GATHERED = 1500;
const SHAPE = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 30 }, facingMode: "environment" };

export class Picture {
  #peer = null;
  #camera = null;
  #wanted = false;
  #tried = 0;
  #shown = [];
  #late = 0;

  constructor(video, say) {
    this.video = video;
    this.say = say;
    this.#count();
  }

  // Sees to it that the picture of the house is there.
  keepOpen() {
    const alive = this.#peer && !["failed", "closed"].includes(this.#peer.connectionState);
    if (!alive && !this.#wanted && performance.now() - this.#tried > AGAIN) this.open(false, true);
  }

  // Begins anew: with the visitor's camera, or with what the house shows if it shows anything.
  async open(camera, house) {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#tried = performance.now();
    try {
      const lent = camera ? await this.#lent() : null;
      this.close();
      this.#camera = lent;
      if (camera || house) await this.#call();
      else await send("DELETE", "/call");
      this.say("");
    } catch (error) {
      this.close();
      this.say(error.message || String(error), true);
    } finally {
      this.#wanted = false;
    }
  }

  close() {
    for (const track of this.#camera?.getTracks() ?? []) track.stop();
    this.#peer?.close();
    this.#peer = this.#camera = this.video.srcObject = null;
    this.#shown = [];
  }

  // What this browser sees of it; `painted` are the seconds from capture to painted.
  figures(painted) {
    this.#measure();
    const now = performance.now();
    this.#shown = this.#shown.filter((time) => time > now - 2000);
    return { fps: this.#shown.length / 2, latency: painted + this.#late };
  }

  async #lent() {
    if (!navigator.mediaDevices) {
      throw new Error("Browsers lend a camera to pages by https only, or of the same machine.");
    }
    try {
      return await navigator.mediaDevices.getUserMedia({ video: SHAPE, audio: false });
    } catch (error) {
      throw new Error(`No camera: ${error.message}`);
    }
  }

  async #call() {
    const peer = (this.#peer = new RTCPeerConnection({ iceServers: [] }));
    if (this.#camera) peer.addTrack(this.#camera.getVideoTracks()[0], this.#camera);
    else peer.addTransceiver("video", { direction: "recvonly" });
    peer.ontrack = (event) => {
      event.receiver.jitterBufferTarget = 0;
      this.video.srcObject = new MediaStream([event.track]);
    };
    await peer.setLocalDescription(await peer.createOffer());
    await gathered(peer);
    const { type, sdp } = peer.localDescription;
    const answer = await send("POST", "/call", { offer: { type, sdp }, camera: Boolean(this.#camera) });
    await peer.setRemoteDescription(await answer.json());
  }

  #count() {
    if (!("requestVideoFrameCallback" in this.video)) return;
    const seen = (now) => {
      this.#shown.push(now);
      if (this.#shown.length > 200) this.#shown.shift();
      this.video.requestVideoFrameCallback(seen);
    };
    this.video.requestVideoFrameCallback(seen);
  }

  // Half of a round trip, and what a frame takes from its first packet to decoded.
  async #measure() {
    if (this.#peer?.connectionState !== "connected") return;
    let late = 0;
    for (const each of (await this.#peer.getStats()).values()) {
      if (each.type === "candidate-pair" && each.nominated) late += (each.currentRoundTripTime ?? 0) / 2;
      if (each.type === "inbound-rtp" && each.framesDecoded) {
        late += (each.totalProcessingDelay ?? 0) / each.framesDecoded;
      }
    }
    this.#late = late;
  }
}

function gathered(peer) {
  return new Promise((resolve) => {
    if (peer.iceGatheringState === "complete") resolve();
    peer.addEventListener("icegatheringstatechange", () => {
      if (peer.iceGatheringState === "complete") resolve();
    });
    setTimeout(resolve, GATHERED);
  });
}
