// What the visitor sees and does; what the machine says of it is asked for once a second.
import { Picture } from "/static/picture.js";
import { Clips, row, button, send } from "/static/clips.js";

const POLL = 1000;
const BUSY_POLL = 400;
const $ = (id) => document.getElementById(id);

// The token has become a cookie, and need not be seen over anybody's shoulder.
if (location.search) history.replaceState(null, "", "/");

let state = null;

function say(words, bad = false) {
  $("said").textContent = words;
  $("said").classList.toggle("bad", bad);
}

const picture = new Picture($("picture"), $("single"), say);
const clips = new Clips($("clips"), $("drop"), $("file"), say, () => poll());

async function poll() {
  clearTimeout(poll.next);
  let wait = POLL;
  try {
    state = await (await send("GET", "/state")).json();
    show();
    if (state.clips.some((clip) => clip.state === "painting" || clip.state === "waiting")) wait = BUSY_POLL;
  } catch (error) {
    say(error.message || "vidgan does not answer any more", true);
    wait = 4 * POLL;
  }
  poll.next = setTimeout(poll, wait);
}

function show() {
  const { live, look } = state;
  showStyles();
  for (const name of ["strength", "smooth", "preserve_color", "mirror"]) {
    const field = $(name);
    if (document.activeElement === field && field.type === "range") continue;
    if (field.type === "checkbox") field.checked = look[name];
    else field.value = look[name];
  }
  $("strength-said").textContent = `${Math.round(100 * $("strength").value)} %`;
  $("most").textContent = `Up to ${Math.round(state.most_bytes / 1e6)} MB.`;
  $("camera").setAttribute("aria-pressed", String(state.own));
  $("camera").textContent = state.own ? "Stop my camera" : "Use my camera";
  $("record").setAttribute("aria-pressed", String(state.recording));
  $("record").lastElementChild.textContent = state.recording ? "Stop recording" : "Record";
  for (const id of ["snapshot", "record", "full"]) $(id).disabled = !live;
  $("absent").textContent = live
    ? { waiting: "The picture is being opened …", lost: "The camera is gone; it is waited for." }[live.source] || ""
    : "Nothing is shown yet. Use your camera, or paint a clip below.";
  showFigures();
  showRecordings();
  clips.show(state.clips, state.most_bytes);
  if (live && (state.own || state.house)) picture.keepOpen(state.own);
}

function showFigures() {
  const { live, look } = state;
  if (!live) {
    $("figures").textContent = "";
    return;
  }
  const loading = live.shown === look.style ? "" : `loading ${look.style} … · `;
  const seen = picture.figures(live.latency);
  $("figures").textContent =
    `${loading}${live.width}×${live.height} · ${seen.fps.toFixed(0)} fps · ${Math.round(1000 * seen.latency)} ms`;
  $("figures").title = "Frames that this browser showed in a second; from capture to here, estimated: "
    + "to painted, half of a round trip, and what this browser takes";
}

function showStyles() {
  const field = $("styles");
  for (const { name, still } of state.styles) {
    let input = field.querySelector(`input[value="${CSS.escape(name)}"]`);
    if (!input) {
      const label = document.createElement("label");
      input = Object.assign(document.createElement("input"), { type: "radio", name: "style", value: name });
      const face = document.createElement("span");
      const image = Object.assign(document.createElement("img"), { alt: "" });
      const title = Object.assign(document.createElement("b"), { textContent: name });
      face.append(image, title);
      label.append(input, face);
      field.append(label);
    }
    const image = input.nextElementSibling.firstElementChild;
    if (still && !image.getAttribute("src")) image.src = `/stills/${encodeURIComponent(name)}`;
    input.checked = name === state.look.style;
  }
}

function showRecordings() {
  const list = $("recordings");
  const known = JSON.stringify(state.recordings);
  if (list.dataset.known === known) return;
  list.dataset.known = known;
  list.replaceChildren(...state.recordings.map((each) => {
    const item = row(each.name, each.error || `${each.seconds.toFixed(1)} s`, Boolean(each.error));
    if (!each.ended) return item;
    const bar = item.lastElementChild;
    const save = Object.assign(document.createElement("a"),
      { className: "button", href: `/recordings/${each.id}`, download: each.name, textContent: "Download" });
    save.setAttribute("aria-label", `Download ${each.name}`);
    bar.append(save, button("Remove", `Remove ${each.name}`, () => act("DELETE", `/recordings/${each.id}`)));
    return item;
  }));
}

async function act(method, path, body) {
  try {
    await send(method, path, body);
    say("");
  } catch (error) {
    say(error.message, true);
  }
  await poll();
}

$("look").addEventListener("change", (event) => {
  const field = event.target;
  const name = field.name === "style" ? "style" : field.id;
  let value = field.value;
  if (field.type === "checkbox") value = field.checked;
  if (field.type === "range") value = Number(value);
  act("PATCH", "/look", { [name]: value });
});
$("look").addEventListener("submit", (event) => event.preventDefault());
$("strength").addEventListener("input", () => {
  $("strength-said").textContent = `${Math.round(100 * $("strength").value)} %`;
});
$("camera").addEventListener("click", async () => {
  await (state.own ? picture.open(false, state.house) : picture.open(true, state.house));
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
    say("Snapshot saved.");
  } catch (error) {
    say(error.message, true);
  }
});
$("record").addEventListener("click", () => act("POST", "/recordings", { on: !state.recording }));
$("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else $("frame").requestFullscreen().catch((error) => say(error.message, true));
});

poll();
