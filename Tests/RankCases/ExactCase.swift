import Collective
import Foundation
import MPI

/// Every method, element type and operation, by ranks that keep different times, against exact
/// results.
func exactCase(_ world: Communicator, _ joining: Joining) throws {
  let group = try joining.group(world)
  // A message on the board; in shared memory and through messages, several pieces of any type.
  for count in [world.size + 1, 70_001] {
    // A row for each operation, of the widest type.
    let memory = UnsafeMutableRawBufferPointer(try group.allocate(Int64.self, count: 6 * count))
    try expectExact(group, memory, count) { Float($0) }
    try expectExact(group, memory, count) { Double($0) }
    try expectExact(group, memory, count) { Float16($0) }
    try expectExact(group, memory, count) { BFloat16(Float($0)) }
    try expectExact(group, memory, count) { Int32($0) }
    try expectExact(group, memory, count) { Int64($0) }
  }
}

/// What a rank brings to an operation, and what it is to become.
private struct ExactOperation<Element: Reducible> {
  var reduction: Reduction<Element>
  var value: (_ rank: Int, _ index: Int) -> Int
  var combine: (Int, Int) -> Int
  /// What each rank's value is multiplied with: averages are integers.
  var factor = 1
}

/// Distinct per rank and index, and 8 times 8 of them added up are exact in 8 bits.
private func addend(_ rank: Int, _ index: Int) -> Int { (index * 7 + rank * 1009) % 29 - 14 }

/// Never 0, so that a factor that is missing or there twice shows; none is one rank's alone at all
/// indices.
private func factor(_ rank: Int, _ index: Int) -> Int {
  [1, 2, -1, 3, -2, 1, -3, 2, -1, 3, 1][(index * (rank + 2) + rank) % 11]
}

/// Indices after which inputs repeat, on all ranks.
private let period = 29 * 11

/// - Parameter element: of an integer, rounded.
private func expectExact<Element: Reducible & Equatable>(
  _ group: ProcessGroup, _ memory: UnsafeMutableRawBufferPointer, _ count: Int,
  _ element: (Int) -> Element
) throws where Element.Accumulator: Comparable {
  let operations: [ExactOperation<Element>] = [
    .init(reduction: .sum, value: addend, combine: +),
    .init(reduction: .average, value: addend, combine: +, factor: group.size),
    .init(reduction: .product, value: factor, combine: *),
    .init(reduction: .minimum, value: addend, combine: min),
    .init(reduction: .maximum, value: addend, combine: max),
    .init(reduction: .custom("larger") { max($0, $1) }, value: addend, combine: max),
  ]
  let elements = memory.bindMemory(to: Element.self)
  var random = UInt64(group.rank + 1) &* 0x9e37_79b9_7f4a_7c15
  for (number, operation) in operations.enumerated() {
    let buffer = UnsafeMutableBufferPointer(
      rebasing: elements[number * count..<(number + 1) * count])
    let input = (0..<period).map { element(operation.factor * operation.value(group.rank, $0)) }
    let result = (0..<period).map { index in
      element(
        (1..<group.size).reduce(operation.value(0, index)) {
          operation.combine($0, operation.value($1, index))
        })
    }
    for method in AllreduceMethod.allCases {
      for index in buffer.indices { buffer[index] = input[index % period] }
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      if random >> 62 == 0 { usleep(UInt32(random >> 32 & 0xff)) }
      try group.allreduce(buffer, operation.reduction, method)
      for index in buffer.indices {
        try expect(
          buffer[index] == result[index % period],
          "\(Element.self), \(operation.reduction), \(method.rawValue), element \(index) of "
            + "\(count): \(buffer[index]) in place of \(result[index % period])")
      }
    }
  }
}
