import CCPU

/// A host whose ranks have more threads than processors: they take turns.
struct Crowding: CustomStringConvertible {
  let host: String
  let ranks: Int
  let threads: Int
  /// That the host's ranks may run on, taken together; hardware threads counted.
  let processors: Int

  /// The first such host; nil if there is none. Collective.
  init?(_ configuration: TrainingConfiguration, world: World) throws {
    let size = Int(CCPU_bytesOfProcessors)
    let mine = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
      initialized = Int(CCPU_usableProcessors(buffer.baseAddress, Int32(size)))
    }
    let all = try world.allgather(mine)
    for host in world.nodes {
      let ranks = all.indices.filter { world.hosts[$0] == host }
      let union = (0..<size).reduce(0) { count, byte in
        count
          + ranks.reduce(UInt8(0)) { $0 | (byte < all[$1].count ? all[$1][byte] : 0) }
          .nonzeroBitCount
      }
      if ranks.count * configuration.threads > union {
        self.host = host
        self.ranks = ranks.count
        threads = configuration.threads
        processors = union
        return
      }
    }
    return nil
  }

  var description: String {
    "\(ranks) rank\(ranks == 1 ? "" : "s") with \(threads) threads each take turns on "
      + "\(processors) processor\(processors == 1 ? "" : "s") of \(host): lower training.threads, or "
      + "start fewer ranks"
  }
}
