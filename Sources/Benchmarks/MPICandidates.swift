import Collective
import MPI

/// Which variants of `MPI_Allreduce` take part.
public enum MPIRivals: String, CaseIterable, Sendable {
  /// Open MPI's own choice of algorithm.
  case `default`
  /// That, and each algorithm that it could choose.
  case all
  case none
}

/// `MPI_Allreduce` in its variants, as the benchmark sees it.
struct MPICandidates {
  /// Into what Open MPI's segmented ring cuts a chunk. Its own choices cut nothing; of 16 KiB to 1
  /// MiB this was the fastest on two ranks.
  static let segmentByteCount = 256 << 10

  private let variants: [(name: String, communicator: Communicator)]

  /// Collective.
  /// - Throws: what `Communicator.duplicate(forcing:)` throws.
  init(_ world: Communicator, _ rivals: MPIRivals) throws {
    var variants: [(String, Communicator)] = []
    if rivals != .none { variants.append(("mpi/default", try world.duplicate())) }
    if rivals == .all {
      for algorithm in TunedAllreduce.allCases {
        let communicator = try world.duplicate(
          forcing: algorithm,
          segmentByteCount: algorithm == .segmentedRing ? MPICandidates.segmentByteCount : 0)
        variants.append(("mpi/\(algorithm.name)", communicator))
      }
    }
    self.variants = variants
  }

  func candidates<Element: MPIBenchmarkElement>(
    _ reduction: ReductionChoice, of type: Element.Type
  ) -> [Candidate] {
    let operation = reduction.mpi
    let datatype = type.datatype
    return variants.map { name, communicator in
      // MPI has no average: its users divide.
      func finish(_ target: UnsafeMutableRawPointer, _ count: Int) {
        guard reduction == .average else { return }
        let sums = target.assumingMemoryBound(to: type)
        Element.average(.init(start: sums, count: count), ranks: communicator.size)
      }
      return Candidate(
        name: name, kind: .mpi,
        outOfPlace: { source, target, count in
          try communicator.allreduce(source, into: target, count: count, of: datatype, operation)
          finish(target, count)
        },
        inPlace: { buffer, count in
          try communicator.allreduce(buffer, count: count, of: datatype, operation)
          finish(buffer, count)
        })
    }
  }
}

/// A type that MPI can reduce too: all but the 16-bit ones.
protocol MPIBenchmarkElement: BenchmarkElement, MPIElement {
  /// Turns sums over `ranks` numbers into their means, in place.
  static func average(_ sums: UnsafeMutableBufferPointer<Self>, ranks: Int)
}

extension MPIBenchmarkElement where Self: BinaryFloatingPoint {
  static func average(_ sums: UnsafeMutableBufferPointer<Self>, ranks: Int) {
    let factor = 1 / Self(ranks)
    for index in sums.indices { sums[index] *= factor }
  }
}

extension MPIBenchmarkElement where Self: FixedWidthInteger {
  static func average(_ sums: UnsafeMutableBufferPointer<Self>, ranks: Int) {
    let divisor = Self(ranks)
    for index in sums.indices { sums[index] /= divisor }
  }
}

extension Float: MPIBenchmarkElement {}
extension Double: MPIBenchmarkElement {}
extension Int32: MPIBenchmarkElement {}
extension Int64: MPIBenchmarkElement {}

extension ReductionChoice {
  fileprivate var mpi: ReductionOperation {
    switch self {
    case .sum, .average: .sum
    case .minimum: .minimum
    case .maximum: .maximum
    case .product: .product
    }
  }
}

extension TunedAllreduce {
  fileprivate var name: String {
    switch self {
    case .basicLinear: "basic-linear"
    case .nonoverlapping: "nonoverlapping"
    case .recursiveDoubling: "recursive-doubling"
    case .ring: "ring"
    case .segmentedRing: "segmented-ring"
    case .rabenseifner: "rabenseifner"
    }
  }
}
