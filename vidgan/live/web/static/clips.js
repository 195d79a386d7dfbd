// Clips that are sent, painted, looked at and saved.

// Asks the machine for something; what it refuses is an error with its own words.
export async function send(method, path, body) {
  const options = { method, credentials: "same-origin" };
  if (body !== undefined) options.body = JSON.stringify(body);
  const response = await fetch(path, options).catch(() => {
    throw new Error("vidgan does not answer any more");
  });
  if (!response.ok) throw new Error(await response.text());
  return response;
}

export function button(words, label, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: words });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

// A line of a list: a name, what is said of it, and a bar for buttons.
export function row(name, words, bad = false) {
  const item = document.createElement("li");
  const title = Object.assign(document.createElement("strong"), { textContent: name });
  const said = Object.assign(document.createElement("p"), { textContent: words });
  said.classList.toggle("bad", bad);
  const bar = Object.assign(document.createElement("div"), { className: "bar" });
  item.append(title, said, bar);
  return item;
}

export class Clips {
  #rows = new Map();
  #most = Infinity;

  constructor(list, drop, file, say, changed) {
    Object.assign(this, { list, say, changed });
    file.addEventListener("change", () => {
      this.#sendAll(file.files);
      file.value = "";
    });
    for (const kind of ["dragenter", "dragover"]) {
      drop.addEventListener(kind, (event) => {
        event.preventDefault();
        drop.classList.add("over");
      });
    }
    for (const kind of ["dragleave", "drop"]) {
      drop.addEventListener(kind, () => drop.classList.remove("over"));
    }
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#sendAll(event.dataTransfer.files);
    });
  }

  show(clips, most) {
    this.#most = most;
    for (const [id, item] of this.#rows) {
      if (!clips.some((clip) => clip.id === id)) {
        item.remove();
        this.#rows.delete(id);
      }
    }
    for (const clip of clips) this.#showOne(clip);
  }

  #showOne(clip) {
    let item = this.#rows.get(clip.id);
    const known = JSON.stringify(clip);
    if (item?.dataset.known === known) return;
    if (!item || item.dataset.state !== clip.state) {
      const fresh = this.#begun(clip);
      // Whoever was at one of its buttons stays at it.
      const focused = item?.contains(document.activeElement);
      if (item) item.replaceWith(fresh);
      else this.list.append(fresh);
      if (focused) fresh.querySelector("button, a")?.focus();
      this.#rows.set(clip.id, (item = fresh));
    }
    item.dataset.known = known;
    item.dataset.state = clip.state;
    const said = item.querySelector("p");
    said.textContent = words(clip);
    said.classList.toggle("bad", clip.state === "failed");
    const progress = item.querySelector("progress");
    if (progress && clip.total) Object.assign(progress, { max: clip.total, value: clip.done });
  }

  #begun(clip) {
    const item = row(clip.name, "");
    const bar = item.lastElementChild;
    if (clip.state === "waiting" || clip.state === "painting") {
      const progress = document.createElement("progress");
      progress.setAttribute("aria-label", `Progress of ${clip.name}`);
      bar.before(progress);
      bar.append(button("Cancel", `Cancel ${clip.name}`, () => this.#remove(clip)));
      return item;
    }
    if (clip.state === "done") {
      bar.before(pair(clip));
      const save = Object.assign(document.createElement("a"), {
        className: "button", href: `/clips/${clip.id}/painted?save`, download: clip.painted_name, textContent: "Download",
      });
      save.setAttribute("aria-label", `Download ${clip.painted_name}`);
      bar.append(button("Play both", `Play ${clip.name} and what was painted of it`, () => playBoth(item)), save);
    }
    bar.append(button("Remove", `Remove ${clip.name}`, () => this.#remove(clip)));
    return item;
  }

  async #remove(clip) {
    try {
      await send("DELETE", `/clips/${clip.id}`);
    } catch (error) {
      this.say(error.message, true);
    }
    this.changed();
  }

  async #sendAll(files) {
    for (const file of files) await this.#sendOne(file);
  }

  async #sendOne(file) {
    if (file.size > this.#most) {
      this.say(`${file.name}: is larger than ${Math.round(this.#most / 1e6)} MB, the most that is taken here`, true);
      return;
    }
    const item = row(file.name, "is being sent");
    const progress = document.createElement("progress");
    progress.setAttribute("aria-label", `Sending ${file.name}`);
    const request = new XMLHttpRequest();
    item.lastElementChild.before(progress);
    item.lastElementChild.append(button("Cancel", `Cancel sending ${file.name}`, () => request.abort()));
    this.list.append(item);
    try {
      await new Promise((resolve, reject) => {
        request.upload.onprogress = (event) => Object.assign(progress, { max: event.total, value: event.loaded });
        request.onload = () => (request.status === 201 ? resolve() : reject(new Error(request.responseText)));
        request.onerror = () => reject(new Error(`${file.name}: could not be sent`));
        request.onabort = () => reject(new Error(`${file.name}: was not sent`));
        request.open("POST", `/clips?name=${encodeURIComponent(file.name)}`);
        request.setRequestHeader("Content-Type", "application/octet-stream");
        request.send(file);
      });
      this.say("");
    } catch (error) {
      this.say(error.message, true);
    }
    item.remove();
    await this.changed();
  }
}

function words(clip) {
  if (clip.state === "waiting") return clip.ahead ? `${clip.ahead} before it` : "is next";
  if (clip.state === "painting") return clip.total ? `${clip.done} of ${clip.total} frames` : `${clip.done} frames`;
  if (clip.state === "failed") return clip.error;
  return [`${clip.done} frames painted`, ...clip.notices].join(" · ");
}

function pair(clip) {
  const both = Object.assign(document.createElement("div"), { className: "pair" });
  for (const [kind, title] of [["original", "original"], ["painted", "painted"]]) {
    const figure = document.createElement("figure");
    const caption = Object.assign(document.createElement("figcaption"), { textContent: title });
    const video = Object.assign(document.createElement("video"),
      { controls: true, playsInline: true, preload: "metadata", muted: kind === "original", src: `/clips/${clip.id}/${kind}` });
    video.setAttribute("aria-label", `${title}: ${clip.name}`);
    if (kind === "original") {
      video.addEventListener("error", () => { caption.textContent = "original (this browser cannot play it)"; });
    }
    figure.append(video, caption);
    both.append(figure);
  }
  return both;
}

// From the beginning, in step.
function playBoth(item) {
  const videos = [...item.querySelectorAll("video")].filter((video) => !video.error);
  for (const video of videos) video.currentTime = 0;
  for (const video of videos) video.play();
}
