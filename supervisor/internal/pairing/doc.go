// Package pairing keeps who asked to be let in to a channel, and who was, in two files
// per channel below the credentials directory: <channel>-pairing.json and <channel>-allowFrom.json.
//
// A Store owns the codes, their life, and how many may wait. The files may be changed by
// others at any time, and what they say then holds at the next question; every write takes
// the lock that other writers of these files take, and replaces the file in one rename. A file
// that cannot be read lets nobody in. A Store may be used from several goroutines. It
// sends nothing, and does not know who is asked about: ids are compared as they are.
package pairing
