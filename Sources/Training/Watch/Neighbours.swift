import Foundation

/// What the operating system knows of a process.
struct ProcessState: Equatable {
  var parent: pid_t
  /// R, S, D, T, Z, ... (proc(5))
  var code: Character

  var isStopped: Bool { code == "T" || code == "t" }

  /// Nil if there is no such process.
  init?(_ pid: pid_t) {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else {
      return nil
    }
    self.init(stat: text)
  }

  /// - Parameter stat: the text of `/proc/PID/stat`, where the command's name, which may contain
  ///   anything, stands in parentheses.
  init?(stat: String) {
    guard let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    guard fields.count > 1, let code = fields[0].first, let parent = pid_t(fields[1]) else {
      return nil
    }
    self.code = code
    self.parent = parent
  }
}

/// Ranks that the same launcher has started on this host: known before MPI has started.
struct Neighbours {
  /// Ranks and whether each is stopped, ascending.
  let ranks: [(rank: Int, isStopped: Bool)]

  /// - Parameter parent: the launcher's process.
  init(of parent: pid_t) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    ranks = names.compactMap { name -> (Int, Bool)? in
      guard let pid = pid_t(name), let state = ProcessState(pid), state.parent == parent,
        let rank = Neighbours.rank(of: pid)
      else { return nil }
      return (rank, state.isStopped)
    }.sorted { $0.0 < $1.0 }
  }

  private static func rank(of pid: pid_t) -> Int? {
    guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else {
      return nil
    }
    for variable in data.split(separator: 0) {
      let text = String(decoding: variable, as: UTF8.self)
      if text.hasPrefix("PMIX_RANK=") { return Int(text.dropFirst(10)) }
    }
    return nil
  }
}
