import Foundation
import Kernels

/// Memory between pages that may not be touched: a kernel that reads or writes beyond its operand,
/// or writes to an input, ends the process.
///
///     | no access |  padding, operand | no access |      .end: what lies behind is forbidden
///     | no access | operand, padding  | no access |      .start: what lies before is
final class Fences {
  /// The side on which the operand touches the fence, to the byte.
  enum Side: CaseIterable { case start, end }

  private let side: Side
  private var mappings: [(base: UnsafeMutableRawPointer, size: Int)] = []

  /// Lends fences, which stand until `body` returns.
  static func with(_ side: Side, _ body: (Fences) -> Void) {
    let fences = Fences(side)
    withExtendedLifetime(fences) { body(fences) }
  }

  private init(_ side: Side) { self.side = side }

  deinit { for mapping in mappings { munmap(mapping.base, mapping.size) } }

  /// A copy of `values` that can be read only.
  func input<Element: BitwiseCopyable>(_ values: [Element]) -> UnsafeMutablePointer<Element> {
    place(values, writable: false)
  }

  /// A copy of `values` that can be written.
  func output<Element: BitwiseCopyable>(_ values: [Element]) -> UnsafeMutablePointer<Element> {
    place(values, writable: true)
  }

  /// `count` floats to write.
  func output(_ count: Int) -> UnsafeMutablePointer<Float> {
    output([Float](repeating: .nan, count: count))
  }

  func input(_ grid: Grid) -> Matrix {
    Matrix(input(grid.values), rows: grid.rows, columns: grid.columns)
  }

  func output(rows: Int, columns: Int) -> Matrix {
    Matrix(output(rows * columns), rows: rows, columns: columns)
  }

  private func place<Element: BitwiseCopyable>(
    _ values: [Element], writable: Bool
  ) -> UnsafeMutablePointer<Element> {
    let page = sysconf(Int32(_SC_PAGESIZE))
    let bytes = values.count * MemoryLayout<Element>.stride
    let inside = max(1, (bytes + page - 1) / page) * page
    let base = mmap(nil, inside + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
    precondition(base != MAP_FAILED)
    mappings.append((base, inside + 2 * page))
    precondition(mprotect(base + page, inside, PROT_READ | PROT_WRITE) == 0)
    let start = base + page + (side == .start ? 0 : inside - bytes)
    let elements = start.bindMemory(to: Element.self, capacity: values.count)
    for i in values.indices { elements[i] = values[i] }
    if !writable { precondition(mprotect(base + page, inside, PROT_READ) == 0) }
    return elements
  }
}

extension Matrix {
  /// The values, taken out of the matrix.
  var grid: Grid { Grid(rows: rows, columns: columns, Array(elements)) }
}
