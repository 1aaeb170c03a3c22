// Follows a user's events with one of the clients named below and prints each as a line of JSON.
// node client.mjs NAME URL, where URL is http:// or ws:// with its ticket in it.

const [name, url] = process.argv.slice(2);

const EVENTS = [
  "ready", "message.created", "message.updated", "message.deleted", "reaction.changed", "conversation.created",
  "conversation.updated", "conversation.read", "conversation.delivered",
];
const RECONNECT_MS = 300;

function print(id, event, data) {
  process.stdout.write(JSON.stringify({ id, event, data }) + "\n");
}

function listen(source) {
  for (const event of EVENTS) {
    source.addEventListener(event, (message) => print(message.lastEventId, event, JSON.parse(message.data)));
  }
}

// What a page has to do by itself, as WebSocket has no reconnecting in it.
function follow(open, cursor) {
  const socket = open(cursor === null ? url : `${url}&last_event_id=${cursor}`);
  let last = cursor;
  socket.addEventListener("message", (message) => {
    const frame = JSON.parse(message.data);
    print(frame.id, frame.event, frame.data);
    last = frame.id ?? last;
  });
  socket.addEventListener("error", () => {});
  socket.addEventListener("close", () => setTimeout(follow, RECONNECT_MS, open, last));
}

const clients = {
  ws: async () => {
    const { WebSocket } = await import("ws");
    follow((address) => new WebSocket(address), null);
  },
  "built-in WebSocket": async () => follow((address) => new WebSocket(address), null),
  undici: async () => listen(new (await import("undici")).EventSource(url)),
  eventsource: async () => listen(new (await import("eventsource")).EventSource(url)),
  "event-source-polyfill": async () => {
    const { default: polyfill } = await import("event-source-polyfill");
    listen(new polyfill.EventSourcePolyfill(url));
  },
  "eventsource-client": async () => {
    const { createEventSource } = await import("eventsource-client");
    createEventSource({ url, onMessage: ({ id, event, data }) => print(id, event, JSON.parse(data)) });
  },
};

setInterval(() => {}, 60_000); // some clients wait for their next try without keeping the process alive
await clients[name]();
