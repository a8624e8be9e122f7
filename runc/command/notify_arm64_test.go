package command_test

const mkdir = -1 // arm64 has mkdirat(2) alone
