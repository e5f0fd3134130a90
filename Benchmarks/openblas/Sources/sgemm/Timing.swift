import Glibc

/// Seconds a call takes: the median of samples that take turns with the other candidates'.
func interleaved(_ candidates: [() -> Void], seconds budget: Double) -> [Double] {
  // Enough calls a sample that the clock does not matter.
  let calls = candidates.map { body -> Int in
    body()
    let once = time(1, body)
    return max(1, Int(0.0005 / once))
  }
  var samples = candidates.map { _ in [Double]() }
  let end = now() + budget
  while now() < end || samples[0].count < 5 {
    for (i, body) in candidates.enumerated() { samples[i].append(time(calls[i], body)) }
  }
  return samples.map { $0.sorted()[$0.count / 2] }
}

private func time(_ calls: Int, _ body: () -> Void) -> Double {
  let start = now()
  for _ in 0..<calls { body() }
  return (now() - start) / Double(calls)
}

/// Seconds since some moment.
func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}
