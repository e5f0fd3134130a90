import Experiments
import Foundation
import Training

/// A training job, and its restarts.
struct Attempts {
  private var launch: Experiments.Launch
  private let configuration: TrainingConfiguration?
  /// The run directory, where it is not the configured one.
  private let output: String?
  private let environment: [String: String]
  private var policy: RestartPolicy

  /// - Parameters:
  ///   - limit: restarts at most.
  ///   - configuration: nil if it has faults.
  init(
    _ launch: Experiments.Launch, limit: Int, configuration: TrainingConfiguration?,
    output: String?, environment: [String: String]
  ) {
    self.launch = launch
    self.configuration = configuration
    self.output = output
    self.environment = environment
    policy = RestartPolicy(limit: limit, step: 0)
    policy = RestartPolicy(limit: limit, step: newestStep)
  }

  /// - Returns: the exit code of the last attempt.
  mutating func run(on machine: Machine) throws -> Int32 {
    let hostfile = launch.hostfile
    defer {
      if launch.hostfile != hostfile {
        try? FileManager.default.removeItem(atPath: launch.hostfile!)
      }
    }
    while true {
      let job = try LaunchedJob(launch, on: machine, environment: environment)
      job.forwardSignals()
      let code = job.wait()
      let step = newestStep
      guard !job.isInterrupted, let pause = policy.pause(afterExitCode: code, step: step) else {
        return code
      }
      Attempts.note(
        "restart \(policy.count) of at most \(policy.limit) in \(pause) s, "
          + (step > 0 ? "from step \(step)" : "from the start") + " (exit code \(code))")
      sleep(UInt32(pause))
      guard try dropSilentHosts(of: hostfile) else { return code }
      launch.command = Attempts.resuming(launch.command)
    }
  }

  /// Asks the hosts of `hostfile` whether they answer, and makes do with those that do.
  /// - Returns: false if there are none.
  private mutating func dropSilentHosts(of hostfile: String?) throws -> Bool {
    guard let hostfile else { return true }
    let all = try Hostfile(path: hostfile)
    let silent = HostProbe(environment: environment).silent(among: all.hosts)
    guard silent.count < all.hosts.count else {
      Attempts.note("no host of \(hostfile) answers")
      return false
    }
    guard !silent.isEmpty else { return true }
    let path = FileManager.default.temporaryDirectory.path + "/lockstep-hosts-\(getpid())"
    try all.text(without: silent).write(toFile: path, atomically: true, encoding: .utf8)
    launch.hostfile = path
    let left = try Experiments.Launch.slots(hostfile: path, on: .current)
    let ranks = min(launch.ranks, configuration?.ranks(among: left) ?? left)
    Attempts.note(
      "warning: without \(silent.joined(separator: ", ")), no answer: \(ranks) ranks"
        + (ranks < launch.ranks ? " in place of \(launch.ranks)" : ""))
    launch.ranks = ranks
    return true
  }

  /// Of the newest checkpoint; 0 without one.
  private var newestStep: Int {
    guard let folder = output ?? configuration?.output else { return 0 }
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: folder + "/checkpoints")) ?? []
    return names.compactMap { name in
      name.wholeMatch(of: /step-(\d+)\.safetensors/).flatMap { Int($0.1) }
    }.max() ?? 0
  }

  /// The command that goes on where the last attempt left off, wherever that one began.
  static func resuming(_ command: [String]) -> [String] {
    var words: [String] = []
    var isValue = false
    for word in command {
      if !isValue, word != "--resume", !word.hasPrefix("--resume=") { words.append(word) }
      isValue = word == "--resume"
    }
    return words + ["--resume", "auto"]
  }

  private static func note(_ line: String) {
    try? FileHandle.standardError.write(contentsOf: Data("lockstep launch: \(line)\n".utf8))
  }
}
