/// Tells what `mpirun` says about exit codes from everything else it says.
///
/// Open MPI explains itself in blocks between lines of dashes. Those that only repeat that a rank
/// ended with an exit code are held back until it is known whether the code speaks for itself.
struct LauncherNoise {
  /// What the blocks in question have in common.
  private static let phrases = [
    "a non-zero exit code", "exited with non-zero status", "MPI_ABORT was invoked",
  ]

  /// Lines outside of blocks that count how often one was printed, or say what became of a signal.
  private static let echoes = [
    "more process has sent help message", "more processes have sent help message",
    "orte_base_help_aggregate", "mpirun: Forwarding signal",
  ]

  /// Signals that were handed on to end the job: a rank that ends by one does as it was told.
  var expected: Set<Int32> = []

  /// What blocks say that names who is to blame, and the lines that are shown in their place.
  private func blame(_ text: String) -> [String]? {
    if let match = text.firstMatch(
      of: /process rank (\d+) with PID \d+ on\s+node (\S+) exited on signal (\d+) \(([^)]*)\)/)
    {
      if let signal = Int32(match.3), expected.contains(signal) { return [] }
      return ["error: rank \(match.1) on \(match.2) was ended by signal \(match.3) (\(match.4))"]
    }
    if text.contains("lost communication with a remote daemon"),
      let match = text.firstMatch(of: /Remote daemon:.* on node (\S+)/)
    {
      return ["error: host \(match.1) no longer answers, or Open MPI's daemon there has ended"]
    }
    return nil
  }

  private var block: [String] = []
  private var heldBack: [String] = []
  private var hasBlamed = false

  /// Takes a line; returns those that are to be shown.
  mutating func pass(_ line: String) -> [String] {
    if LauncherNoise.echoes.contains(where: line.contains) {
      heldBack.append(line)
      return []
    }
    let isRule = line.count > 40 && line.allSatisfy { $0 == "-" }
    guard isRule || !block.isEmpty else { return [line] }
    block.append(line)
    guard isRule, block.count > 1 else { return [] }
    defer { block = [] }
    let text = block.joined(separator: "\n")
    if let lines = blame(text) {
      hasBlamed = true
      return lines
    }
    if LauncherNoise.phrases.contains(where: text.contains) {
      heldBack += block
      return []
    }
    return block
  }

  /// Returns the lines that are still to be shown: an unfinished block, and what was held back if
  /// neither the exit code nor a line speaks for itself.
  mutating func finish(showingAll: Bool) -> [String] {
    defer { (block, heldBack) = ([], []) }
    return (showingAll && !hasBlamed ? heldBack : []) + block
  }
}
