// The picture by WebRTC: that of the house, or the visitor's own camera painted. Where WebRTC does not get through, as
// through a tunnel, that of the house comes as single pictures, one after the other.
import { send } from "/static/clips.js";

const AGAIN = 2000;
const PATIENCE = 8000;
const SINGLE_AGAIN = 60000;
const GATHERED = 1500;
const SHAPE = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 30 }, facingMode: "environment" };

export class Picture {
  #peer = null;
  #camera = null;
  #wanted = false;
  #tried = 0;
  #shown = [];
  #late = 0;

  #single = false;
  #reached = performance.now();

  constructor(video, single, say) {
    this.video = video;
    this.single = single;
    this.say = say;
    this.#count();
  }

  // Sees to it that the picture of the house is there; the own camera's comes by WebRTC or not at all.
  keepOpen(own) {
    const now = performance.now();
    if (this.#peer?.connectionState === "connected") {
      this.#single = false;
      this.#reached = now;
      return;
    }
    const late = now - this.#reached > PATIENCE;
    if (own) {
      if (late) this.say("Your camera does not get through: WebRTC needs UDP between this browser and the machine.", true);
      return;
    }
    if (late) this.#showSingle();
    const alive = this.#peer && !["failed", "closed"].includes(this.#peer.connectionState);
    const again = this.#single ? SINGLE_AGAIN : alive ? Infinity : AGAIN;
    if (!this.#wanted && now - this.#tried > again) this.open(false, true);
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
      if (lent) {
        this.#single = false;
        this.#reached = performance.now();
      }
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

  // Until WebRTC gets through, or the visitor turns to the own camera.
  async #showSingle() {
    if (this.#single) return;
    this.#single = true;
    while (this.#single) {
      try {
        const response = await send("GET", "/picture");
        if (response.status === 204) continue;
        const fresh = URL.createObjectURL(await response.blob());
        const old = this.single.src;
        this.single.src = fresh;
        this.single.hidden = false;
        await this.single.decode();
        if (old) URL.revokeObjectURL(old);
        this.#shown.push(performance.now());
      } catch {
        await new Promise((resolve) => setTimeout(resolve, AGAIN));
      }
    }
    this.single.hidden = true;
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
