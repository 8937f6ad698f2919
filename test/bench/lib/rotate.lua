-- Requests with the credentials of a file in turn: one a line. Made before the load begins.
-- Arguments: the file, and for anything but `GET` the method, the body and its type.
local requests, at = {}, 0

function init(args)
  for credential in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format(args[2] or 'GET', nil, { ['Authorization'] = 'Bearer ' .. credential, ['Content-Type'] = args[4] }, args[3])
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('RESULT %d %d %d %d\n', summary.requests, summary.duration, errors.status, broken))
end
