/// What a collective is for: who holds what at its start, and what must hold at its end.
///
/// An element is *complete* when it holds everything that belongs into it. Chunk r is that of rank
/// r, the buffer cut into one chunk per rank: elements r n / p ..< (r + 1) n / p, rounded down.
public enum Goal: Hashable, Sendable {
  /// Every rank has an input; every element of every rank becomes the sum of all inputs.
  case allreduce
  /// Every rank has an input; rank r's chunk r becomes the sum, the rest is undefined.
  case reduceScatter
  /// Rank r has chunk r; all ranks get all chunks.
  case allgather
  /// `root` has the buffer; all ranks get it.
  case broadcast(root: Int)
  /// Every rank has an input; `root`'s elements become the sum, those of the others are undefined.
  case reduce(root: Int)

  /// Whether chunks differ in what belongs into them, or in who must have them.
  var dependsOnChunk: Bool { self == .reduceScatter || self == .allgather }

  /// The ranks whose inputs a complete element of chunk `chunk` is the sum of. These have an input
  /// there at the start; to the others the element is undefined.
  func contributors(to chunk: Int, size: Int) -> Range<Int> {
    switch self {
    case .allreduce, .reduceScatter, .reduce: 0..<size
    case .allgather: chunk..<chunk + 1
    case .broadcast(let root): root..<root + 1
    }
  }

  /// Whether the elements of chunk `chunk` must be complete on `rank` at the end.
  func isDue(_ chunk: Int, on rank: Int) -> Bool {
    switch self {
    case .allreduce, .allgather, .broadcast: true
    case .reduceScatter: rank == chunk
    case .reduce(let root): rank == root
    }
  }
}
