import CProcess
import Foundation

/// A program that this process has started, and that does not outlive it.
final class ChildProcess {
  enum End: Equatable {
    case exit(Int32)
    case signal(Int32)
  }

  /// The program's own.
  let id: pid_t
  /// The process that ends as the program does.
  private let keeper: pid_t
  private var end: End?

  /// - Parameter path: of the program; `words` begin with its name.
  /// - Throws: `LaunchError` if the system cannot start another process.
  init(
    _ path: String, _ words: [String], environment: [String: String], output: Int32, errors: Int32
  ) throws {
    var arguments = words.map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    let process = CProcess_start(path, &arguments, &variables, output, errors)
    (id, keeper) = (process.program, process.keeper)
    guard id > 0 else { throw LaunchError(reason: String(cString: strerror(errno))) }
  }

  /// Waits for its end.
  @discardableResult
  func wait() -> End {
    while end == nil { look(options: 0) }
    return end!
  }

  /// How it has ended, if it has.
  func poll() -> End? {
    if end == nil { look(options: WNOHANG) }
    return end
  }

  private func look(options: Int32) {
    var status: Int32 = 0
    let result = waitpid(keeper, &status, options)
    if result == keeper {
      // As the macros of wait(2) take it apart, which Swift does not import.
      end = status & 0x7f == 0 ? .exit(status >> 8 & 0xff) : .signal(status & 0x7f)
    } else if result < 0, errno != EINTR {
      end = .exit(127)
    }
  }
}
