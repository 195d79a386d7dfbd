// Uploads of videos and photos: transfer, progress, comparison and download, or the report of a check.

// Sends a request; an error of the server is thrown with its message.
export async function send(method, path, body) {
  const options = { method, credentials: "same-origin" };
  if (body !== undefined) options.body = JSON.stringify(body);
  const response = await fetch(path, options).catch(() => {
    throw new Error("vidgan does not respond");
  });
  if (!response.ok) throw new Error(await response.text());
  return response;
}

export function button(text, label, act) {
  const element = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  element.setAttribute("aria-label", label);
  element.addEventListener("click", act);
  return element;
}

// A list item with a title, a line of text, and a bar for buttons.
export function row(name, text, error = false) {
  const item = document.createElement("li");
  const title = Object.assign(document.createElement("strong"), { textContent: name });
  const line = Object.assign(document.createElement("p"), { textContent: text });
  line.classList.toggle("error", error);
  const bar = Object.assign(document.createElement("div"), { className: "bar" });
  item.append(title, line, bar);
  return item;
}

// Calls `act` with files that are dropped on an element.
export function onDrop(element, act) {
  for (const type of ["dragenter", "dragover"]) {
    element.addEventListener(type, (event) => {
      event.preventDefault();
      element.classList.add("over");
    });
  }
  for (const type of ["dragleave", "drop"]) {
    element.addEventListener(type, () => element.classList.remove("over"));
  }
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    act(event.dataTransfer.files);
  });
}

export class Uploads {
  #rows = new Map();
  #limit = Infinity;

  constructor(list, notify, changed) {
    Object.assign(this, { list, notify, changed });
  }

  // Sends what is dropped on an element or chosen by a field; `job()` returns task, model, passcode and hints for it.
  accept(drop, file, job) {
    file.addEventListener("change", () => {
      this.#sendAll(file.files, job());
      file.value = "";
    });
    onDrop(drop, (files) => this.#sendAll(files, job()));
  }

  show(uploads, limit) {
    this.#limit = limit;
    for (const [id, item] of this.#rows) {
      if (!uploads.some((upload) => upload.id === id)) {
        item.remove();
        this.#rows.delete(id);
      }
    }
    for (const upload of uploads) this.#showOne(upload);
  }

  #showOne(upload) {
    let item = this.#rows.get(upload.id);
    const shown = JSON.stringify(upload);
    if (item?.dataset.shown === shown) return;
    if (!item || item.dataset.state !== upload.state) {
      const fresh = this.#create(upload);
      // Keyboard users keep the focus in this row.
      const focused = item?.contains(document.activeElement);
      if (item) item.replaceWith(fresh);
      else this.list.append(fresh);
      if (focused) fresh.querySelector("button, a")?.focus();
      this.#rows.set(upload.id, (item = fresh));
    }
    item.dataset.shown = shown;
    item.dataset.state = upload.state;
    const line = item.querySelector("p");
    line.textContent = describe(upload);
    line.classList.toggle("error", upload.state === "failed");
    const progress = item.querySelector("progress");
    if (progress && upload.total) Object.assign(progress, { max: upload.total, value: upload.done });
  }

  #create(upload) {
    const item = row(upload.name, "");
    const bar = item.lastElementChild;
    if (upload.state === "waiting" || upload.state === "processing") {
      const progress = document.createElement("progress");
      progress.setAttribute("aria-label", `Progress of ${upload.name}`);
      bar.before(progress);
      bar.append(button("Cancel", `Cancel ${upload.name}`, () => this.#remove(upload)));
      return item;
    }
    if (upload.state === "done" && upload.kind === "check") bar.before(report(upload));
    if (upload.state === "done" && upload.kind !== "check") {
      bar.before(comparison(upload));
      const save = Object.assign(document.createElement("a"), {
        className: "button", href: `/uploads/${upload.id}/output?save`, download: upload.output_name,
        textContent: "Download",
      });
      save.setAttribute("aria-label", `Download ${upload.output_name}`);
      if (upload.kind === "video") {
        bar.append(button("Play both", `Play input and output of ${upload.name}`, () => playBoth(item)));
      }
      bar.append(save);
    }
    bar.append(button("Remove", `Remove ${upload.name}`, () => this.#remove(upload)));
    return item;
  }

  async #remove(upload) {
    try {
      await send("DELETE", `/uploads/${upload.id}`);
    } catch (error) {
      this.notify(error.message, true);
    }
    this.changed();
  }

  async #sendAll(files, job) {
    // The field is emptied while the first of its files is sent.
    for (const file of [...files]) await this.#sendOne(file, job);
  }

  async #sendOne(file, job) {
    if (file.size > this.#limit) {
      this.notify(`${file.name}: is larger than ${Math.round(this.#limit / 1e6)} MB, the limit here`, true);
      return;
    }
    const item = row(file.name, "uploading");
    const progress = document.createElement("progress");
    progress.setAttribute("aria-label", `Upload of ${file.name}`);
    const request = new XMLHttpRequest();
    item.lastElementChild.before(progress);
    item.lastElementChild.append(button("Cancel", `Cancel upload of ${file.name}`, () => request.abort()));
    this.list.append(item);
    const { passcode, ...rest } = job;
    const query = new URLSearchParams({ name: file.name, ...rest });
    try {
      await new Promise((resolve, reject) => {
        request.upload.onprogress = (event) => Object.assign(progress, { max: event.total, value: event.loaded });
        request.onload = () => (request.status === 201 ? resolve() : reject(new Error(request.responseText)));
        request.onerror = () => reject(new Error(`${file.name}: the upload failed`));
        request.onabort = () => reject(new Error(`${file.name}: the upload was cancelled`));
        request.open("POST", `/uploads?${query}`);
        request.setRequestHeader("Content-Type", "application/octet-stream");
        // Addresses are logged and remembered.
        if (passcode) request.setRequestHeader("Passcode", encodeURIComponent(passcode));
        request.send(file);
      });
      this.notify("");
    } catch (error) {
      this.notify(error.message, true);
    }
    item.remove();
    await this.changed();
  }
}

function describe(upload) {
  const frames = upload.kind === "image" ? "" : `${upload.done}${upload.total ? ` of ${upload.total}` : ""} frames`;
  if (upload.state === "waiting") return upload.position ? `waiting for ${upload.position} other files` : "next";
  if (upload.state === "processing") return upload.kind === "check" ? "checking" : frames || "processing";
  if (upload.state === "failed") return upload.error;
  if (upload.kind === "check") return "what the file says of its making";
  return [upload.kind === "image" ? "done" : `done, ${upload.done} frames`, ...upload.warnings].join(" · ");
}

// The lines of a check. They quote the file, so they are text and never HTML.
function report(upload) {
  const list = document.createElement("dl");
  for (const [label, text] of upload.report) {
    list.append(
      Object.assign(document.createElement("dt"), { textContent: label }),
      Object.assign(document.createElement("dd"), { textContent: text }),
    );
  }
  return list;
}

// Input and output side by side.
function comparison(upload) {
  const pair = Object.assign(document.createElement("div"), { className: "pair" });
  for (const part of ["input", "output"]) {
    const figure = document.createElement("figure");
    const caption = Object.assign(document.createElement("figcaption"), { textContent: part });
    const media = document.createElement(upload.kind === "image" ? "img" : "video");
    if (upload.kind === "image") media.alt = `${part}: ${upload.name}`;
    else {
      Object.assign(media, { controls: true, playsInline: true, preload: "metadata", muted: part === "input" });
      media.setAttribute("aria-label", `${part}: ${upload.name}`);
    }
    media.addEventListener("error", () => {
      caption.textContent = `${part} (this browser cannot show it)`;
    });
    media.src = `/uploads/${upload.id}/${part}`;
    figure.append(media, caption);
    pair.append(figure);
  }
  return pair;
}

// Plays input and output from the start, in step.
function playBoth(item) {
  const videos = [...item.querySelectorAll("video")].filter((video) => !video.error);
  for (const video of videos) video.currentTime = 0;
  for (const video of videos) video.play();
}
