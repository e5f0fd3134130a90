import Collective
import Foundation
import MPI

/// Every method, element type and operation, by ranks that keep different times, against exact
/// results.
func exactCase(_ world: Communicator, _ joining: Joining) throws {
  let group = try joining.group(world)
  // A row for each operation, of the widest type.
  let memory = UnsafeMutableRawBufferPointer(
    try group.allocate(Int64.self, count: 6 * (world.size + 1)))
  try expectExact(group, memory) { Float($0) }
  try expectExact(group, memory) { Double($0) }
  try expectExact(group, memory) { Float16($0) }
  try expectExact(group, memory) { BFloat16(Float($0)) }
  try expectExact(group, memory) { Int32($0) }
  try expectExact(group, memory) { Int64($0) }
}

/// - Parameter element: of an integer.
private func expectExact<Element: Reducible & Equatable>(
  _ group: ProcessGroup, _ memory: UnsafeMutableRawBufferPointer, _ element: (Int) -> Element
) throws where Element.Accumulator: Comparable {
  // Distinct per rank and index; products of 8, and 8 times a sum of 8, are exact in 8 bits.
  func value(_ rank: Int, _ index: Int) -> Int { (index * 7 + rank * 3) % 5 - 2 }
  func folded(_ index: Int, _ combine: (Int, Int) -> Int) -> Int {
    (1..<group.size).reduce(value(0, index)) { combine($0, value($1, index)) }
  }
  // What each rank's value is multiplied with: averages are integers.
  let operations: [(reduction: Reduction<Element>, factor: Int, combine: (Int, Int) -> Int)] = [
    (.sum, 1, +), (.average, group.size, +), (.product, 1, *), (.minimum, 1, min),
    (.maximum, 1, max), (.custom("larger") { max($0, $1) }, 1, max),
  ]
  let elements = memory.bindMemory(to: Element.self)
  let count = group.size + 1
  let buffers = operations.indices.map {
    UnsafeMutableBufferPointer(rebasing: elements[$0 * count..<($0 + 1) * count])
  }
  var random = UInt64(group.rank + 1) &* 0x9e37_79b9_7f4a_7c15
  for method in AllreduceMethod.allCases {
    for (buffer, operation) in zip(buffers, operations) {
      for index in buffer.indices {
        buffer[index] = element(operation.factor * value(group.rank, index))
      }
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      if random >> 62 == 0 { usleep(UInt32(random >> 32 & 0xff)) }
      try group.allreduce(buffer, operation.reduction, method)
      for index in buffer.indices {
        try expect(
          buffer[index] == element(folded(index, operation.combine)),
          "\(Element.self), \(operation.reduction), \(method.rawValue), element \(index)")
      }
    }
  }
}
