import Collective

extension TuningTable {
  /// The fastest methods of a benchmark, by the median time of calls in place.
  /// - Parameters:
  ///   - results: a list for each size, of one type and reduction; every schedule took part.
  ///   - nodes: where the ranks were.
  init(of results: [[ResultRecord]], conditions: Conditions, nodes: NodeMap) {
    func winners(_ mayWin: (AllreduceMethod, String) -> Bool) -> [Entry] {
      results.map { records in
        let times = records.compactMap { record -> Entry? in
          guard record.kind == .lockstep, let method = record.method,
            mayWin(method, record.candidate),
            let time = record.inPlace?.medianMicroseconds
          else { return nil }
          return Entry(bytes: record.size, method: method, microseconds: time)
        }
        return times.min { $0.microseconds < $1.microseconds }!
      }
    }
    func isRun(_ method: AllreduceMethod) -> Bool {
      method != .hierarchical || conditions.sharesMemory
    }
    self.init(
      conditions: conditions,
      canonical: winners { method, name in
        switch method {
        case .schedule(let algorithm): algorithm.isCanonical(size: nodes.size)
        case .hierarchical:
          isRun(method) && nodes.isCanonical && !name.hasSuffix(LockstepAllreduce.anyOrder)
        }
      },
      anyOrder: winners { method, name in
        // Where nodes are no subtrees, the canonical group has run a schedule in its place.
        isRun(method)
          && (method != .hierarchical || nodes.isCanonical
            || name.hasSuffix(LockstepAllreduce.anyOrder))
      })
  }
}

extension ResultRecord {
  /// The method that a candidate of this package's is named after; nil for the group's own choice.
  var method: AllreduceMethod? {
    AllreduceMethod(rawValue: String(candidate.prefix { $0 != "/" }))
  }
}
