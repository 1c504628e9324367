-- Posts BODY to the ports in PORTS, one a thread in turn, and says in one line of JSON how it went.
local threads = 0

wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = os.getenv("BODY")
local token = os.getenv("TOKEN")
if token then
  wrk.headers["authorization"] = "Bearer " .. token
end

function setup(thread)
  local ports = {}
  for port in os.getenv("PORTS"):gmatch("%d+") do
    ports[#ports + 1] = port
  end
  thread.addr = wrk.lookup(os.getenv("HOST"), ports[threads % #ports + 1])[1]
  threads = threads + 1
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"answered": %d, "seconds": %f, "refused": %d, "broken": %d, "p50_ms": %f, "p99_ms": %f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
