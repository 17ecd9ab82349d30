;;; eglot.el --- A person in a real Emacs, with eglot as it is installed  -*- lexical-binding: t -*-
;; Delegates by code action, sees where the team works, approves, sees it land, says goodbye.
;; Run as `emacs --batch -l eglot.el`; the environment says which repository and which server.
(package-initialize)
(require 'ert)
(require 'eglot)
(require 'cl-lib)

(defconst seconds-max 90 "Whoever waits this long has failed.")
(defvar boards nil "Versions of the boards that were told, newest first.")
(defvar said nil "What window/showMessage said, newest first.")

(cl-defmethod eglot-handle-notification
  (_server (_method (eql baton/boardChanged)) &key version board &allow-other-keys)
  (should board)
  (push version boards))
(cl-defmethod eglot-handle-notification
  (_server (_method (eql baton/attention)) &key says &allow-other-keys)
  (push says said))
(cl-defmethod eglot-handle-notification :after
  (_server (_method (eql window/showMessage)) &key message &allow-other-keys)
  (push message said))

(defun until (what done)
  "Let the server speak until DONE returns something."
  (let ((deadline (+ (float-time) seconds-max)) found)
    (while (not (setq found (funcall done)))
      (when (< deadline (float-time))
        (error "Timed out: %s; said: %S" what said))
      (accept-process-output nil 0.1))
    found))

(defun heard (words) (cl-find-if (lambda (it) (string-search words it)) said))

(defun choose (words)
  "Run the entry of the menu that WORDS begin, as `eglot-code-actions' offers it."
  (let (offered)
    (cl-letf (((symbol-function 'completing-read)
               (lambda (_prompt items &rest _)
                 (setq offered (mapcar #'car items))
                 (or (cl-find-if (lambda (it) (string-prefix-p words it)) offered)
                     (error "Not offered: %s; but: %S" words offered)))))
      (let ((last-nonmenu-event 'key))
        (eglot-code-actions (point) (if mark-active (mark) (point)) nil t)))
    offered))

(ert-deftest delegate-see-approve-land ()
  (let* ((root (file-name-as-directory (getenv "BATON_TEST_ROOT")))
         (command (split-string (getenv "BATON_TEST_SERVER") "\n"))
         (eglot-strict-mode '(disallow-unknown-methods))
         (eglot-sync-connect 30)
         (wish '(:initializationOptions (:baton (:notifications t))))
         (flymake-no-changes-timeout 0.1)
         server process)
    (find-file (expand-file-name "src/numbers.txt" root))
    (text-mode)
    (eglot '(text-mode) (project-current) 'eglot-lsp-server (append command wish) "text")
    (setq server (eglot-current-server) process (jsonrpc--process server))
    (should (eglot-managed-p))
    (should (eglot--server-capable :codeActionProvider :codeActionKinds))
    (until "the first board" (lambda () boards))

    (goto-char (point-min))
    (forward-line 1)
    (set-mark (line-beginning-position 2))
    (setq mark-active t)
    (should (member "Ask the team about this" (choose "Delegate selection")))
    (setq mark-active nil)
    (until "delegated" (lambda () (heard "T1 delegated")))

    (until "where it works" (lambda ()
      (flymake-start)
      (cl-find-if (lambda (it) (string-search "T1 is changing this" (flymake-diagnostic-text it)))
                  (flymake-diagnostics))))
    ;; Where this machine has no sandbox, the checks wait for a person's word first.
    (let (approved)
      (while (not approved)
        (until "it waits" (lambda () (heard "T1 waits for you")))
        (setq said nil)
        (goto-char (point-min))
        (setq approved (cl-find-if (lambda (it) (string-prefix-p "T1 approve: +1 -1 in 1 file" it))
                                   (choose "T1 ")))
        (until "the answer was heard" (lambda () (heard "T1 approved")))))
    (until "landed" (lambda () (heard "T1 landed as ")))
    (revert-buffer t t)
    (should (string-search "two = 2" (buffer-string)))
    (until "no hint is left" (lambda () (flymake-start) (null (flymake-diagnostics))))
    (should (equal boards (sort (copy-sequence boards) #'>)))
    (eglot-shutdown server)
    ;; After `shutdown' and `exit' jsonrpc kills the process without waiting: no status to look at.
    (until "it ended" (lambda () (not (process-live-p process))))))

(ert-run-tests-batch-and-exit)
