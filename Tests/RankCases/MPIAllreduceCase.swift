import MPI

/// MPI's allreduce with every algorithm that it can be forced to use, and its own choice: all types
/// and operations, in place and not, against exact values.
func mpiAllreduceCase(_ world: Communicator) throws {
  let forced = try TunedAllreduce.allCases.map {
    try world.duplicate(forcing: $0, segmentByteCount: 4096)
  }
  for communicator in [world] + forced {
    for count in [0, 1, world.size + 1, 1000, 20_011] {
      for operation in ReductionOperation.allCases {
        try checkAllreduce(Float.self, count, operation, communicator)
        try checkAllreduce(Double.self, count, operation, communicator)
        try checkAllreduce(Int32.self, count, operation, communicator)
        try checkAllreduce(Int64.self, count, operation, communicator)
      }
    }
  }
  try checkOrdersDiffer(forced)
  for communicator in forced { try communicator.free() }
}

private func checkAllreduce<Element: MPIElement & Numeric & Comparable>(
  _ type: Element.Type, _ count: Int, _ operation: ReductionOperation, _ world: Communicator
) throws {
  // Small enough that products of five ranks are exact in Float; distinct per rank and index.
  func value(_ rank: Int, _ index: Int) -> Element {
    Element(exactly: (index * 7 + rank * 5) % 23 - 11)!
  }
  let expected = (0..<count).map { index in
    (1..<world.size).reduce(value(0, index)) { result, rank in
      switch operation {
      case .sum: result + value(rank, index)
      case .product: result * value(rank, index)
      case .minimum: min(result, value(rank, index))
      case .maximum: max(result, value(rank, index))
      }
    }
  }
  let input = (0..<count).map { value(world.rank, $0) }
  var output = [Element](repeating: 99, count: count)
  try input.withUnsafeBufferPointer { source in
    try output.withUnsafeMutableBufferPointer {
      try world.allreduce(source, into: $0, operation)
    }
  }
  try expect(output == expected, "\(type) \(operation) of \(count), out of place")
  var values = input
  try values.withUnsafeMutableBufferPointer { try world.allreduce($0, operation) }
  try expect(values == expected, "\(type) \(operation) of \(count), in place")
}

/// Sums that are rounded show in which order they were taken: linear and ring have different ones,
/// so what was forced was used.
private func checkOrdersDiffer(_ forced: [Communicator]) throws {
  guard forced[0].size >= 4 else { return }
  let sums = try [TunedAllreduce.basicLinear, .ring].map { algorithm in
    let communicator = forced[TunedAllreduce.allCases.firstIndex(of: algorithm)!]
    var values = (0..<1000).map { 1 / Float(1 + communicator.rank * 7 + $0 % 13) }
    try values.withUnsafeMutableBufferPointer { try communicator.allreduce($0) }
    return values
  }
  try expect(sums[0] != sums[1], "linear and ring add in the same order")
}

/// Without the session's parameters an algorithm cannot be forced, and the caller is told.
func unforcedCase(_ world: Communicator) throws {
  do {
    _ = try world.duplicate(forcing: .ring)
    throw CaseFailure(description: "a forced algorithm would have been ignored")
  } catch is ForcedAlgorithmIgnored {}
}
