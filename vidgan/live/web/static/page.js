// The page: displays the server's state, which is polled, and sends the user's settings.
import { LiveView } from "/static/live_view.js";
import { Uploads, onDrop, row, button, send } from "/static/uploads.js";

const POLL_MS = 1000;
const BUSY_POLL_MS = 400;
const $ = (id) => document.getElementById(id);

// The token is in a cookie now and does not need to stay visible.
if (location.search) history.replaceState(null, "", "/");

let state = null;

function notify(text, error = false) {
  $("message").textContent = text;
  $("message").classList.toggle("error", error);
}

const view = new LiveView($("video"), $("still"), notify);
const job = () => ({
  task: $("task").value || "style",
  model: $("model").value,
  passcode: $("passcode-label").hidden ? "" : $("passcode").value,
  hints: $("hints-label").hidden ? "" : $("hints").value,
});
const uploads = new Uploads($("uploads"), notify, () => poll());
uploads.accept($("drop"), $("file"), job);
uploads.accept($("check-drop"), $("check-file"), () => ({ task: "check" }));

async function poll() {
  clearTimeout(poll.next);
  let wait = POLL_MS;
  try {
    state = await (await send("GET", "/state")).json();
    show();
    if (state.uploads.some(({ state }) => state === "processing" || state === "waiting")) wait = BUSY_POLL_MS;
  } catch (error) {
    notify(error.message || "vidgan does not respond", true);
    wait = 4 * POLL_MS;
  }
  poll.next = setTimeout(poll, wait);
}

function show() {
  const { live } = state;
  showStyles();
  showSettings();
  $("image-drop").hidden = !state.images;
  showTasks();
  $("limit").textContent = `Up to ${Math.round(state.max_upload_bytes / 1e6)} MB.`;
  $("camera").setAttribute("aria-pressed", String(state.own_camera));
  $("camera").textContent = state.own_camera ? "Stop my camera" : "Use my camera";
  $("record").setAttribute("aria-pressed", String(state.recording));
  $("record").lastElementChild.textContent = state.recording ? "Stop recording" : "Record";
  for (const id of ["snapshot", "record", "full"]) $(id).disabled = !live;
  $("status").textContent = live
    ? { waiting: "Opening the source …", lost: "The source is lost; waiting for it to come back." }[live.source] || ""
    : "There is no stream. Use your camera, or process a file below.";
  showStats();
  showRecordings();
  uploads.show(state.uploads, state.max_upload_bytes);
  if (live && (state.own_camera || state.shared)) view.keepConnected(state.own_camera);
}

function showSettings() {
  const { settings } = state;
  for (const name of ["strength", "stroke", "mix", "smooth", "reuse", "second_style", "preserve_color", "mirror"]) {
    const field = $(name);
    if (document.activeElement === field && field.type === "range") continue;
    if (field.type === "checkbox") field.checked = settings[name];
    else field.value = settings[name] ?? "";
  }
  $("mix-label").hidden = !settings.second_style;
  for (const name of ["strength", "stroke", "mix"]) showPercent(name);
}

function showPercent(name) {
  $(`${name}-value`).textContent = `${Math.round(100 * $(name).value)} %`;
}

function showStats() {
  const { live, settings } = state;
  if (!live) {
    $("stats").textContent = "";
    return;
  }
  const loading = live.active_style === settings.style ? "" : `loading ${settings.style} … · `;
  const stats = view.stats(live.latency_seconds);
  $("stats").textContent =
    `${loading}${live.width}×${live.height} · ${stats.fps.toFixed(0)} fps · ${Math.round(1000 * stats.latency)} ms`;
  $("stats").title = "Frames per second that this browser displayed; estimated latency from capture to display: "
    + "processing, half of a round trip, and decoding in this browser";
}

function showStyles() {
  const field = $("styles");
  for (const { name, thumbnail } of state.styles) {
    let input = field.querySelector(`input[value="${CSS.escape(name)}"]`);
    if (!input) {
      const label = document.createElement("label");
      input = Object.assign(document.createElement("input"), { type: "radio", name: "style", value: name });
      const card = document.createElement("span");
      const image = Object.assign(document.createElement("img"), { alt: "" });
      const title = Object.assign(document.createElement("b"), { textContent: name });
      card.append(image, title);
      label.append(input, card);
      field.append(label);
      $("second_style").append(new Option(name, name));
    }
    const image = input.nextElementSibling.firstElementChild;
    if (thumbnail && !image.getAttribute("src")) image.src = `/thumbnails/${encodeURIComponent(name)}`;
    input.checked = name === state.settings.style;
  }
}

function showTasks() {
  if (!$("task").options.length) {
    $("task").append(...state.tasks.map(({ name, label }) => new Option(label, name)));
    showModels();
  }
  const task = state.tasks.find(({ name }) => name === $("task").value);
  $("task-help").textContent = task.live
    ? `${task.summary} Uses the style and settings of this page, now ${state.settings.style}.` : task.summary;
}

function showModels() {
  const { models, passcode, hints } = state.tasks.find(({ name }) => name === $("task").value);
  $("model").replaceChildren(...models.map((name) => new Option(name, name)));
  $("model-label").hidden = models.length < 2;
  $("passcode-label").hidden = !passcode;
  $("passcode").value = "";
  $("passcode").placeholder = passcode === "needed" ? "of the video" : "none: faces do not come back";
  $("hints-label").hidden = !hints;
}

function showRecordings() {
  const list = $("recordings");
  const shown = JSON.stringify(state.recordings);
  if (list.dataset.shown === shown) return;
  list.dataset.shown = shown;
  list.replaceChildren(...state.recordings.map((recording) => {
    const { id, name, seconds, error, finished } = recording;
    const item = row(name, error || `${seconds.toFixed(1)} s`, Boolean(error));
    if (!finished) return item;
    const bar = item.lastElementChild;
    const save = Object.assign(document.createElement("a"),
      { className: "button", href: `/recordings/${id}`, download: name, textContent: "Download" });
    save.setAttribute("aria-label", `Download ${name}`);
    bar.append(save, button("Remove", `Remove ${name}`, () => act("DELETE", `/recordings/${id}`)));
    return item;
  }));
}

async function act(method, path, body) {
  try {
    await send(method, path, body);
    notify("");
  } catch (error) {
    notify(error.message, true);
  }
  await poll();
}

async function addStyle(files) {
  for (const file of files) {
    notify(`Making a style of ${file.name} …`);
    const query = new URLSearchParams({ name: file.name });
    try {
      const response = await fetch(`/styles?${query}`, { method: "POST", credentials: "same-origin", body: file });
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      const { name, warnings } = JSON.parse(text);
      notify([`Style ${name} is ready.`, ...warnings].join(" · "));
    } catch (error) {
      notify(error.message, true);
    }
  }
  await poll();
}

$("image").addEventListener("change", async (event) => {
  await addStyle([...event.target.files]);
  event.target.value = "";
});
onDrop($("image-drop"), addStyle);
$("settings").addEventListener("change", (event) => {
  const field = event.target;
  if (field.id === "image") return;
  const name = field.name === "style" ? "style" : field.id;
  let value = field.value;
  if (field.type === "checkbox") value = field.checked;
  if (field.type === "range") value = Number(value);
  if (name === "second_style") value = value || null;
  act("PATCH", "/settings", { [name]: value });
});
$("settings").addEventListener("submit", (event) => event.preventDefault());
for (const name of ["strength", "stroke", "mix"]) $(name).addEventListener("input", () => showPercent(name));
$("task").addEventListener("change", () => {
  showModels();
  showTasks();
});
$("camera").addEventListener("click", async () => {
  await view.open({ camera: !state.own_camera, shared: state.shared });
  await poll();
});
$("snapshot").addEventListener("click", async () => {
  try {
    const blob = await (await send("GET", "/snapshot")).blob();
    const time = new Date().toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
    const link = Object.assign(document.createElement("a"),
      { href: URL.createObjectURL(blob), download: `vidgan-${time}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    notify("Snapshot saved.");
  } catch (error) {
    notify(error.message, true);
  }
});
$("record").addEventListener("click", () => act("POST", "/recordings", { on: !state.recording }));
$("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else $("frame").requestFullscreen().catch((error) => notify(error.message, true));
});

poll();
